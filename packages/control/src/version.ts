/** Of the command and of the daemon: they come together. */
export const VERSION = '0.1.0';

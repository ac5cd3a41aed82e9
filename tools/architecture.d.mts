export const PURE: readonly string[];
export const ROOMS: Readonly<Record<string, readonly string[]>>;
export function packageName(room: string): string;

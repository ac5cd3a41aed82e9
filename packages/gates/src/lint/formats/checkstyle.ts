import type { Finding } from '../finding.ts';
import type { Formatter } from './all.ts';

/** Checkstyle 4.3. A file without findings is not mentioned. */
export const checkstyle: Formatter = (files) => {
  const bodies = files
    .filter(({ findings }) => findings.length > 0)
    .map(
      ({ file, findings }) =>
        `<file ${attribute('name', file)}>${findings.map(errorElement).join('')}</file>`,
    );
  return `<?xml version='1.0' encoding='UTF-8'?><checkstyle version='4.3'>${bodies.join('')}</checkstyle>\n`;
};

function errorElement({ line, column, severity, message, code }: Finding): string {
  const attributes = { line, column, severity, message, source: code };
  return `<error ${Object.entries(attributes)
    .map(([name, value]) => attribute(name, String(value)))
    .join('')}/>`;
}

function attribute(name: string, value: string): string {
  return `${name}='${escaped(value)}' `;
}

/** All but the plainest characters as numbers, so that nothing in a message can break out of the attribute. */
function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 ./]/gu, (character) => `&#${character.codePointAt(0)};`);
}

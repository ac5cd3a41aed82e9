import { expect, test } from 'vitest';
import fc from 'fast-check';
import { JobLog } from './log.ts';
import { SectionFilter } from './sections.ts';

function logged(use: (log: JobLog) => void, secrets: string[] = []): string {
  let text = '';
  const log = new JobLog(secrets, (more) => (text += more));
  use(log);
  log.flush();
  expect(log.text).toBe(text);
  return text;
}

test('a line of the runner’s begins a new line, whatever the script printed last', () => {
  const text = logged((log) => {
    log.bytes(Buffer.from('no end'));
    log.line('NOTE: x');
    log.bytes(Buffer.from('whole\n'));
    log.warning('y');
  });
  expect(text).toBe('no end\nNOTE: x\nwhole\nWARNING: y\n');
});

test('characters and secrets cut by chunks', () => {
  const bytes = Buffer.from('ä 🚀 s3cret-value ü\n');
  const text = logged(
    (log) => {
      for (const byte of bytes) log.bytes(Buffer.from([byte]));
    },
    ['s3cret-value'],
  );
  expect(text).toBe('ä 🚀 [MASKED] ü\n');
});

test('of two secrets that begin alike the longer one is hidden whole, however it arrives', () => {
  const text = logged(
    (log) => {
      for (const part of ['x password', '1234 y', ' password', '!\n']) log.bytes(Buffer.from(part));
    },
    ['password', 'password1234'],
  );
  expect(text).toBe('x [MASKED] y [MASKED]!\n');
});

test('a log is cut at its limit, and says so once', () => {
  const text = logged((log) => {
    for (let index = 0; index < 100; index += 1) log.bytes(Buffer.alloc(100_000, 'x'));
  });
  expect(text.length).toBeLessThan(4.4 * 1024 * 1024);
  expect(text.match(/exceeded the limit/g)).toHaveLength(1);
});

const MARKED =
  'a\nsection_start:1:my-sec.1[collapsed=true]\r\u001B[0KHeading\nin\nsection_end:2:my-sec.1\r\u001B[0K\nsections: section_x\n';
const CLEAN = 'a\nHeading\nin\n\nsections: section_x\n';

test('section markers go, headings and words that look alike stay, however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(MARKED.length), { maxLength: 8 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), MARKED.length];
      const filter = new SectionFilter();
      const parts = at.slice(1).map((end, index) => filter.push(MARKED.slice(at[index], end)));
      expect(parts.join('') + filter.end()).toBe(CLEAN);
    }),
  );
});

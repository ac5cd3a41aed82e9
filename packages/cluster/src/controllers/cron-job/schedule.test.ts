import { expect, test } from 'vitest';
import { isTimeZone, parseSchedule } from './schedule.ts';

const at = (text: string) => Date.parse(text);
function runs(text: string, after: string, options: { zone?: string; count?: number } = {}): string[] {
  const schedule = parseSchedule(text, options.zone);
  if ('problem' in schedule) throw new Error(schedule.problem);
  const found: string[] = [];
  let last = at(after);
  for (let index = 0; index < (options.count ?? 3); index += 1) {
    const next = schedule.nextAfter(last);
    if (next === undefined) break;
    found.push(new Date(next).toISOString().slice(0, 16));
    last = next;
  }
  return found;
}

test.each([
  ['*/15 9-10 * * *', ['2026-01-01T09:00', '2026-01-01T09:15', '2026-01-01T09:30']],
  ['5/20 * * * *', ['2026-01-01T00:05', '2026-01-01T00:25', '2026-01-01T00:45']],
  ['0 0 * feb,APR mon', ['2026-02-02T00:00', '2026-02-09T00:00', '2026-02-16T00:00']],
  // Both days given: either of them.
  ['0 12 13 * fri', ['2026-01-02T12:00', '2026-01-09T12:00', '2026-01-13T12:00']],
  ['? ? 1 * ?', ['2026-01-01T00:01', '2026-01-01T00:02', '2026-01-01T00:03']],
  ['@hourly', ['2026-01-01T01:00', '2026-01-01T02:00', '2026-01-01T03:00']],
  ['@weekly', ['2026-01-04T00:00', '2026-01-11T00:00', '2026-01-18T00:00']],
  ['@yearly', ['2027-01-01T00:00', '2028-01-01T00:00', '2029-01-01T00:00']],
  ['@every 1h30m', ['2026-01-01T01:30', '2026-01-01T03:00', '2026-01-01T04:30']],
  ['0 0 31 2 *', []],
])('%s', (text, expected) => {
  expect(runs(text, '2026-01-01T00:00:00Z')).toEqual(expected);
});

test('a time zone moves with its summer time', () => {
  expect(runs('0 3 * * *', '2026-03-28T00:00:00Z', { zone: 'Europe/Berlin' })).toEqual([
    '2026-03-28T02:00',
    '2026-03-29T01:00',
    '2026-03-30T01:00',
  ]);
});

test('the last moment counts when it is just now', () => {
  const schedule = parseSchedule('*/5 * * * *');
  if ('problem' in schedule) throw new Error(schedule.problem);
  expect(schedule.lastUntil(at('2026-01-01T00:10:00Z'))).toBe(at('2026-01-01T00:10:00Z'));
  expect(schedule.lastUntil(at('2026-01-01T00:09:59Z'))).toBe(at('2026-01-01T00:05:00Z'));
  const every = parseSchedule('@every 10s');
  if ('problem' in every) throw new Error(every.problem);
  expect(every.lastUntil(at('2026-01-01T00:00:19Z'))).toBe(at('2026-01-01T00:00:10Z'));
});

test.each([
  ['', /expected exactly 5 fields, found 0/],
  ['* * * *', /found 4/],
  ['0 * * * * *', /found 6/],
  ['60 * * * *', /outside of 0 to 59/],
  ['* * 0 * *', /outside/],
  ['* * * * 7', /outside/],
  ['9-3 * * * *', /beyond end of range/],
  ['*/0 * * * *', /failed to parse minute/],
  ['1-2-3 * * * *', /failed to parse minute/],
  ['* * L * *', /failed to parse day of month/],
  ['* * * * fri#2', /failed to parse day of week/],
  ['@often', /unrecognized descriptor/],
  ['@every soon', /failed to parse duration/],
  ['TZ=UTC 0 0 * * *', /use timeZone field/],
])('%j is no schedule', (text, problem) => {
  const schedule = parseSchedule(text);
  expect('problem' in schedule ? schedule.problem : '').toMatch(problem);
});

test('time zones are those of the IANA list', () => {
  expect(['Etc/UTC', 'Europe/Berlin', 'Nowhere/Land', 'Local', ''].map(isTimeZone)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

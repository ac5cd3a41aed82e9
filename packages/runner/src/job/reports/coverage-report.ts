import { UnreadableReport } from './plain-file.ts';
import { readXml } from './xml.ts';

/** Lines of one or several reports together. */
export interface LineCounts {
  covered: number;
  valid: number;
  /** Of a report that gives a rate and no counts. */
  rate: number | undefined;
}

/**
 * Adds a Cobertura or JaCoCo report; its first element tells which. Cobertura's own sums are taken when it has them,
 * else its lines are counted. @throws UnreadableReport
 */
export async function readCoverageReport(workspace: string, file: string, counts: LineCounts): Promise<void> {
  const reader = { depth: 0, format: '', counted: { covered: 0, valid: 0 }, inClassLines: false };
  let summed = false;
  await readXml(workspace, file, {
    open(name, attributes) {
      reader.depth += 1;
      if (reader.depth === 1) {
        reader.format = name;
        summed = name === 'coverage' && addSums(attributes, counts);
      }
      if (reader.format === 'coverage' && name === 'line') countLine(attributes, reader.counted);
      const isTotal = reader.format === 'report' && reader.depth === 2 && name === 'counter';
      if (isTotal && attributes['type'] === 'LINE') addJacoco(attributes, counts);
    },
    close() {
      reader.depth -= 1;
    },
  });
  if (reader.format !== 'coverage' && reader.format !== 'report') {
    throw new UnreadableReport(`${file}: <${reader.format}> is neither Cobertura nor JaCoCo`);
  }
  if (reader.format === 'coverage' && !summed) {
    counts.covered += reader.counted.covered;
    counts.valid += reader.counted.valid;
  }
}

function addSums(attributes: Readonly<Record<string, string>>, counts: LineCounts): boolean {
  const covered = numberOf(attributes['lines-covered']);
  const valid = numberOf(attributes['lines-valid']);
  counts.rate = numberOf(attributes['line-rate']) ?? counts.rate;
  if (covered === undefined || valid === undefined) return false;
  counts.covered += covered;
  counts.valid += valid;
  return true;
}

function countLine(
  attributes: Readonly<Record<string, string>>,
  counts: { covered: number; valid: number },
): void {
  counts.valid += 1;
  if ((numberOf(attributes['hits']) ?? 0) > 0) counts.covered += 1;
}

function addJacoco(attributes: Readonly<Record<string, string>>, counts: LineCounts): void {
  const covered = numberOf(attributes['covered']) ?? 0;
  counts.covered += covered;
  counts.valid += covered + (numberOf(attributes['missed']) ?? 0);
}

function numberOf(text: string | undefined): number | undefined {
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

import { age } from '../tables/format.ts';
import type { KubeObject } from '../../store/types.ts';
import type { CustomColumn, CustomType } from './custom-type.ts';
import { findByPath, parseJsonPath } from './json-path.ts';

type Cell = string | number | boolean | null;

/** A column as the Table form of a custom kind has it. */
export interface PrintedColumn {
  readonly definition: object;
  readonly cell: (object: KubeObject, nowMs: number) => Cell;
}

const known = new WeakMap<CustomType, readonly PrintedColumn[]>();

/** The name, and what the definition says. */
export function printedColumns(custom: CustomType): readonly PrintedColumn[] {
  const made = known.get(custom) ?? [NAME, ...custom.columns.map(printed)];
  known.set(custom, made);
  return made;
}

const NAME: PrintedColumn = {
  definition: {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name of the object',
    priority: 0,
  },
  cell: (object) => object.metadata.name,
};

function printed(column: CustomColumn): PrintedColumn {
  const { name, type, format = '', description = '', priority = 0 } = column;
  const steps = parseJsonPath(column.jsonPath) ?? [];
  return {
    definition: { name, type, format, description, priority },
    cell: (object, nowMs) => cellOf(type, findByPath(object, steps), nowMs),
  };
}

function cellOf(type: string, values: readonly unknown[], nowMs: number): Cell {
  const [value] = values;
  if (value === undefined || value === null) return type === 'date' ? '<unknown>' : null;
  if (type === 'date') return age(value, nowMs);
  if (type === 'integer' || type === 'number') return typeof value === 'number' ? value : Number(value);
  if (type === 'boolean') return value === true;
  return values.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(',');
}

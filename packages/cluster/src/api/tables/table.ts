import type { KubeObject } from '../../store/types.ts';
import { printedColumns } from '../custom/columns.ts';
import type { PrintedColumn } from '../custom/columns.ts';
import { servedForm } from '../forms.ts';
import type { ServedResource } from '../resources.ts';
import { AGE, COLUMNS, NAME } from './columns.table.ts';

export interface TableOptions {
  readonly apiVersion: string;
  /** What stands beside each row. */
  readonly include: 'None' | 'Metadata' | 'Object';
  readonly nowMs: number;
  /** Only the first table of a watch has them. */
  readonly headers: boolean;
}

/** Objects as a meta.k8s.io Table: what `kubectl get` prints. */
export function toTable(
  type: ServedResource,
  objects: readonly KubeObject[],
  meta: object,
  options: TableOptions,
): unknown {
  const columns = type.custom ? printedColumns(type.custom) : builtIn(type.storedAs);
  return {
    kind: 'Table',
    apiVersion: options.apiVersion,
    metadata: meta,
    columnDefinitions: options.headers ? columns.map(({ definition }) => definition) : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, options.nowMs)),
      object: beside(type, object, options),
    })),
  };
}

function builtIn(resource: string): readonly PrintedColumn[] {
  return (COLUMNS[resource] ?? [NAME, AGE]).map(({ name, type, wide, cell }) => {
    const format = name === 'Name' ? 'name' : '';
    return { definition: { name, type, format, description: '', priority: wide ? 1 : 0 }, cell };
  });
}

function beside(type: ServedResource, object: KubeObject, options: TableOptions): unknown {
  if (options.include === 'None') return null;
  return options.include === 'Object' ? servedForm(type, object) : partial(object, options.apiVersion);
}

/** The metadata alone. */
export function partial(object: KubeObject, apiVersion = 'meta.k8s.io/v1'): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata };
}

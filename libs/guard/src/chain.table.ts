import { HOUR_MS, TASK_LIFE_MS, type Label } from './history.js';
import type { Effect } from './tool.js';

/** A pair of tools of which the second may not follow the first. */
export interface ChainRule {
  readonly name: string;
  readonly first: string;
  readonly then: string;
  /** ms for which the first forbids the second: in one task, and by one principal over all its tasks (an hour at most) */
  readonly inTaskMs: number;
  readonly byPrincipalMs: number;
  /** ends the sentence "it may not follow, since …" */
  readonly since: string;
}

/** No bulk read goes before bulk mail, and no export before a deletion. */
export const CHAIN_RULES: readonly ChainRule[] = [
  {
    name: 'bulk_read_then_bulk_mail',
    first: 'read_all_customers',
    then: 'send_bulk_email',
    inTaskMs: TASK_LIFE_MS,
    byPrincipalMs: HOUR_MS,
    since: 'what was read in bulk could leave by mail',
  },
  {
    name: 'export_then_delete',
    first: 'export_data',
    then: 'delete_records',
    inTaskMs: TASK_LIFE_MS,
    byPrincipalMs: HOUR_MS,
    since: 'records that were taken out could be made to disappear',
  },
  {
    name: 'export_then_bulk_mail',
    first: 'export_data',
    then: 'send_bulk_email',
    inTaskMs: TASK_LIFE_MS,
    byPrincipalMs: HOUR_MS,
    since: 'what was taken out could leave by mail',
  },
  {
    name: 'export_then_delete_customer',
    first: 'export_data',
    then: 'delete_customer',
    inTaskMs: TASK_LIFE_MS,
    byPrincipalMs: HOUR_MS,
    since: 'a customer whose data was taken out could be made to disappear',
  },
];

/** Effects that no tool may have in a task, or by a principal, that carries the label. */
export const FORBIDDEN_BY_LABEL: Readonly<Record<Label, readonly Effect[]>> = {
  hostile: ['sends-outside', 'destroys'],
};

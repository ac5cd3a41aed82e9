import { Fault } from '@updraft/kit';

/** Something is wrong with the advisories' files, or they cannot be fetched. */
export class AdvisoryFault extends Fault {
  override readonly name = 'AdvisoryFault';
}

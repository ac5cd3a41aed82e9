import { Fault } from '@updraft/kit';

export type StandInCode = 'IMAGE_STAND_IN_FAILED' | 'IMAGE_STAND_IN_UNSUPPORTED';

/** A stand-in could not be made. */
export class StandInFault extends Fault {
  override readonly name = 'StandInFault';

  constructor(code: StandInCode, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(code, message, options);
  }
}

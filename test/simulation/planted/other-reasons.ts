/** Planted bugs: something was done to a machine, and its node stops for a reason that has nothing to do with it. */
import { LedgerError } from '../../../core/errors.ts';
import type { Application } from '../../../node/application.ts';
import type { NodeEnvironment } from '../../../node/environment.ts';
import type { SimMachine } from '../machine.ts';

const hadNoRoom = new WeakSet<SimMachine>();

const forNoReason = (): LedgerError => new LedgerError('simulation.planted', 'it is not said why');

/** Whoever has run without room on its disk stops once more, when there is room. */
export function stoppingOnceMore(application: Application, machine: SimMachine): Application {
  if (machine.isDiskFull) hadNoRoom.add(machine);
  return {
    ...application,
    async finalizeBlock(request, control) {
      if (machine.isDiskFull) hadNoRoom.add(machine);
      else if (!machine.wasToldFull && hadNoRoom.delete(machine)) throw forNoReason();
      return application.finalizeBlock(request, control);
    },
  };
}

/** Refuses to start with a signing state that is lost or old, and does not say so. */
export function refusingForNoReason(environment: NodeEnvironment, machine: SimMachine): NodeEnvironment {
  if (machine.mustRefuse !== undefined) throw forNoReason();
  return environment;
}

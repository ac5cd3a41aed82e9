import type { UsagePort } from '../metrics/usage.ts';
import { autoscalerController } from './autoscaler/autoscaler.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { cronJobController } from './cron-job/cron-job.ts';
import { daemonSetController } from './daemon-set/daemon-set.ts';
import { deploymentController } from './deployment/deployment.ts';
import { disruptionController } from './disruption/disruption.ts';
import { jobController } from './job/job.ts';
import { quotaController } from './quota.ts';
import { replicaSetController, replicationControllerController } from './replica-set.ts';
import { statefulSetController } from './stateful-set/stateful-set.ts';
import { taintEvictionController } from './taint-eviction.ts';

/** The controllers that make pods, and those that watch over how many there are and where. */
export function workloadControllers(context: ControllerContext, usage: UsagePort): Controller[] {
  return [
    deploymentController(context),
    replicaSetController(context),
    statefulSetController(context),
    daemonSetController(context),
    replicationControllerController(context),
    jobController(context),
    cronJobController(context),
    taintEvictionController(context),
    disruptionController(context),
    quotaController(context),
    autoscalerController(context, usage),
  ];
}

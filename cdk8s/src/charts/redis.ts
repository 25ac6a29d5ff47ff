// Redis: one server, or three with a Sentinel beside each (ADR 0016).
import { k8s } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { sentinelHosts } from '../connections.ts';
import { emptyDir, execProbe, fromSecret, podSpec, secretVolume, type ContainerSettings } from '../constructs/pod.ts';
import { ComponentChart } from '../constructs/workloads.ts';
import { fqdnOf, hasSentinels, images, ports, type Plan } from '../plan.ts';
import { redisScripts } from './redis-scripts.ts';

const SERVER_UID = 999;
/** Of one server: a first start, and a large file that is read. */
const STARTUP = { periodSeconds: 2, failureThreshold: 150 };
const CONFIG = '/run/secrets/redis';
const SCRIPTS = '/scripts';
const RUN = '/run/redis';
const DATA = '/data';
/** It holds a few addresses, whatever Redis holds. */
const SENTINEL_RESOURCES = { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } };
/** A primary hands over before it ends. */
const HAND_OVER_GRACE_SECONDS = 60;

export class RedisChart extends ComponentChart {
  constructor(scope: Construct, plan: Plan) {
    super(scope, plan, 'redis');
    if (hasSentinels(plan)) this.#three();
    else this.#one();
  }

  #one(): void {
    const { plan } = this;
    const ping = ['sh', '-c', 'redis-cli ping | grep -q PONG'];
    const pod = podSpec({
      plan,
      uid: SERVER_UID,
      resources: plan.spec.redis.resources,
      placement: this.placement,
      volumes: [secretVolume('config', this.name(), { 'redis.conf': 'redis.conf' })],
      containers: [
        {
          name: 'redis',
          image: images.redis,
          // The file holds the password, so that it shows in no process listing.
          command: ['redis-server', `${CONFIG}/redis.conf`],
          env: [fromSecret('REDISCLI_AUTH', this.name(), 'password')],
          ports: { redis: ports.redis },
          mounts: [
            { name: 'data', mountPath: DATA },
            { name: 'config', mountPath: CONFIG, readOnly: true },
          ],
          probes: { startup: execProbe(ping, STARTUP), readiness: execProbe(ping) },
        },
      ],
    });
    this.statefulSet(1, pod, { storage: plan.spec.redis.storage });
    this.service({ redis: ports.redis }, { headless: true });
  }

  #three(): void {
    const { plan } = this;
    const { replicas, resources, storage } = plan.spec.redis;
    // Read by what starts, stops and is asked from now on: a change of a script replaces no pod.
    new k8s.KubeConfigMap(this, 'scripts', { metadata: this.metadata(), data: { ...redisScripts } });
    const pod = podSpec({
      plan,
      uid: SERVER_UID,
      resources,
      placement: this.placement,
      spread: this.selector,
      graceSeconds: HAND_OVER_GRACE_SECONDS,
      volumes: [
        emptyDir('run'),
        { name: 'scripts', configMap: { name: this.name() } },
        secretVolume('config', this.name(), { 'node.conf': 'node.conf', 'sentinel.conf': 'sentinel.conf' }),
      ],
      containers: [
        { ...this.#container('redis', ports.redis), preStop: ['sh', `${SCRIPTS}/stop-redis.sh`] },
        { ...this.#container('sentinel', ports.sentinel), resources: SENTINEL_RESOURCES },
      ],
    });
    this.statefulSet(replicas, pod, { storage });
    // A replica finds its primary, and a Sentinel the others, before any of them is ready.
    this.service({ redis: ports.redis, sentinel: ports.sentinel }, { headless: true, publishNotReady: true });
    this.disruptionBudget();
  }

  /** Of both: Sentinel keeps what it knows on the volume of its Redis, so that nobody forgets who was the primary when all start anew. */
  #container(name: 'redis' | 'sentinel', port: number): ContainerSettings {
    return {
      name,
      image: images.redis,
      command: ['sh', `${SCRIPTS}/start-${name}.sh`],
      env: [
        fromSecret('REDISCLI_AUTH', this.name(), 'password'),
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        ...Object.entries(nodeSettings(this.plan)).map(([key, value]) => ({ name: key, value })),
      ],
      ports: { [name]: port },
      mounts: [
        { name: 'data', mountPath: DATA },
        { name: 'run', mountPath: RUN },
        { name: 'scripts', mountPath: SCRIPTS, readOnly: true },
        { name: 'config', mountPath: CONFIG, readOnly: true },
      ],
      // No start probe: who waits for the Sentinels, or for the data of the primary, is not helped by a restart.
      probes: { readiness: execProbe(['sh', `${SCRIPTS}/ready-${name}.sh`]) },
    };
  }
}

/** What the scripts go by. Names, not addresses: a pod comes back with another one. */
export function nodeSettings(plan: Plan): Record<string, string> {
  const [first = ''] = sentinelHosts(plan);
  return {
    SELF: `$(POD_NAME).${fqdnOf(plan, 'redis')}`,
    REDIS_PORT: String(ports.redis),
    SENTINEL_PORT: String(ports.sentinel),
    SENTINELS: sentinelHosts(plan)
      .map((host) => `${host}:${ports.sentinel}`)
      .join(' '),
    FIRST_PRIMARY: `${first}:${ports.redis}`,
    CONFIG_DIR: CONFIG,
    RUN_DIR: RUN,
    DATA_DIR: DATA,
  };
}

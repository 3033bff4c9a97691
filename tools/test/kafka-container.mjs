import { AbstractStartedContainer, GenericContainer, Wait } from 'testcontainers';
import { IMAGES } from './engine.mjs';

const SCRIPT = '/tmp/advertised.sh';
const LONGEST_MS = 60_000;
/** One node that is broker and controller, and keeps nothing thrice. */
const SETTINGS = {
  KAFKA_NODE_ID: '1',
  KAFKA_PROCESS_ROLES: 'broker,controller',
  KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
  KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
  KAFKA_LISTENERS: 'EXTERNAL://0.0.0.0:9092,BROKER://0.0.0.0:19092,CONTROLLER://localhost:9093',
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'EXTERNAL:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
  KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
  KAFKA_LOG_DIRS: '/tmp/kraft-combined-logs',
  KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
  KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '1',
  KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
  KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
  KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: '1',
  KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
  KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
  KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
  // who writes to a topic has made it: a misspelt name is an error, not a topic
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
  // after kill -9 the broker that comes again waits until its old session has ended: 9 s by default
  KAFKA_BROKER_SESSION_TIMEOUT_MS: '2000',
  KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '250',
};

/**
 * A Kafka broker in KRaft mode. (`@testcontainers/kafka` drives the start scripts of another image.)
 * It answers on a mapped port of the host, and at `ALIAS:19092` to containers of its network, ALIAS its first alias there.
 */
export class KafkaContainer extends GenericContainer {
  constructor(image = IMAGES.kafka) {
    super(image);
    /** @type {number | undefined} */
    this.hostPort = undefined;
    /** @type {Record<string, string>} */
    this.settings = {};
  }

  /**
   * For a broker that is killed and started again: the engine picks another port each time, and the advertised one stays.
   * @param {number} port of the host
   */
  withFixedPort(port) {
    this.hostPort = port;
    return this;
  }

  /** @param {Record<string, string>} settings as `KAFKA_LOG_CLEANER_BACKOFF_MS` */
  withSettings(settings) {
    Object.assign(this.settings, settings);
    return this;
  }

  async beforeContainerCreated() {
    this.withEnvironment({ ...SETTINGS, ...this.settings });
    this.withExposedPorts(this.hostPort === undefined ? 9092 : { container: 9092, host: this.hostPort });
    // Only when the container runs is it known which port of the host is its own: it waits to be told.
    this.withEntrypoint([
      'bash',
      '-c',
      `echo waits for its address; until [ -s ${SCRIPT} ]; do sleep 0.02; done; . ${SCRIPT}; exec /etc/kafka/docker/run`,
    ]);
    this.withWaitStrategy(Wait.forLogMessage('waits for its address'));
  }

  /** @param {import('testcontainers').StartedTestContainer} container */
  async containerStarted(container) {
    const inside = this.networkAliases[0] ?? 'localhost';
    const address = `EXTERNAL://${container.getHost()}:${container.getMappedPort(9092)},BROKER://${inside}:19092`;
    await container.copyContentToContainer([
      { target: SCRIPT, mode: 0o644, content: `export KAFKA_ADVERTISED_LISTENERS=${address}\n` },
    ]);
    await saying(container, 'Kafka Server started');
  }

  /** @returns {Promise<StartedKafkaContainer>} */
  async start() {
    return new StartedKafkaContainer(await super.start());
  }
}

export class StartedKafkaContainer extends AbstractStartedContainer {
  /** @returns {string} `HOST:PORT`, as clients take it */
  getBroker() {
    return `${this.getHost()}:${this.getMappedPort(9092)}`;
  }
}

/**
 * Waits until the log of a container has a line with `words`.
 * @param {import('testcontainers').StartedTestContainer} container
 * @param {string} words
 */
async function saying(container, words) {
  const log = await container.logs();
  let end = '';
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    await new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ what) => reject(new Error(`${what}; the end of its log:\n${end}`));
      timer = setTimeout(() => fail(`No '${words}' within ${LONGEST_MS / 1000} s`), LONGEST_MS);
      log.on('data', (chunk) => {
        end = (end + chunk).slice(-4000);
        if (end.includes(words)) resolve(undefined);
      });
      log.on('error', reject).on('end', () => fail(`It ended before it said '${words}'`));
    });
  } finally {
    clearTimeout(timer);
    log.destroy();
  }
}

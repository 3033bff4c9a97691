import { AbstractStartedContainer, GenericContainer, Wait } from 'testcontainers';
import { IMAGES } from './engine.mjs';

const SCRIPT = '/tmp/advertised.sh';
const LONGEST_MS = 60_000;
const FOLDER = '/tmp/secured';
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

/** Two more listeners, over TLS 1.3 only: one asks for a name and password (SCRAM), one for a certificate. */
const SECURED = {
  KAFKA_LISTENERS: `${SETTINGS.KAFKA_LISTENERS},SCRAM://0.0.0.0:9094,MTLS://0.0.0.0:9095`,
  KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: `${SETTINGS.KAFKA_LISTENER_SECURITY_PROTOCOL_MAP},SCRAM:SASL_SSL,MTLS:SSL`,
  KAFKA_SASL_ENABLED_MECHANISMS: 'SCRAM-SHA-512',
  KAFKA_LISTENER_NAME_SCRAM_SCRAM___SHA___512_SASL_JAAS_CONFIG:
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  KAFKA_SSL_KEYSTORE_TYPE: 'PEM',
  KAFKA_SSL_KEYSTORE_LOCATION: `${FOLDER}/broker.pem`,
  KAFKA_SSL_TRUSTSTORE_TYPE: 'PEM',
  KAFKA_SSL_TRUSTSTORE_LOCATION: `${FOLDER}/clients.pem`,
  KAFKA_SSL_ENABLED_PROTOCOLS: 'TLSv1.3',
  KAFKA_LISTENER_NAME_MTLS_SSL_CLIENT_AUTH: 'required',
  // who comes by those two may do what a rule says; the open listener is the administrator's, for the spec itself
  KAFKA_AUTHORIZER_CLASS_NAME: 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  KAFKA_SUPER_USERS: 'User:ANONYMOUS',
  KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: 'false',
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
    /** @type {{ key: string, cert: string, clients: string, users: Record<string, string> } | undefined} */
    this.security = undefined;
    /** @type {{ name: string, port: number, address: string }[]} */
    this.behind = [];
  }

  /**
   * For a broker that is reached through something that spoils the network: a further listener, open to all.
   * @param {string} name of the listener, as `SLOW`
   * @param {number} port inside of the container
   * @param {string} address `HOST:PORT` that its clients are told to come to
   */
  withListener(name, port, address) {
    this.behind.push({ name, port, address });
    return this;
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

  /**
   * Adds the listeners over TLS: `getScramBroker()` and `getMtlsBroker()`. Without a rule (ACL) their users may do nothing.
   * @param {{ key: string, cert: string, clients: string, users: Record<string, string> }} security PEM: the broker's key
   *   (PKCS #8) and certificate, the certificates whose owners `getMtlsBroker()` lets in; and passwords by user
   */
  withSecurity(security) {
    this.security = security;
    return this;
  }

  async beforeContainerCreated() {
    const env = { ...SETTINGS, ...(this.security && SECURED), ...this.settings };
    for (const { name, port } of this.behind) {
      env.KAFKA_LISTENERS += `,${name}://0.0.0.0:${port}`;
      env.KAFKA_LISTENER_SECURITY_PROTOCOL_MAP += `,${name}:PLAINTEXT`;
    }
    this.withEnvironment(env);
    if (this.security) {
      const { key, cert, clients } = this.security;
      this.withExposedPorts(9094, 9095).withCopyContentToContainer([
        { target: `${FOLDER}/broker.pem`, mode: 0o644, content: `${key}\n${cert}` },
        { target: `${FOLDER}/clients.pem`, mode: 0o644, content: clients },
      ]);
    }
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
    const outside = (/** @type {number} */ port) => `${container.getHost()}:${container.getMappedPort(port)}`;
    const address = [
      `EXTERNAL://${outside(9092)}`,
      `BROKER://${inside}:19092`,
      ...(this.security ? [`SCRAM://${outside(9094)}`, `MTLS://${outside(9095)}`] : []),
      ...this.behind.map(({ name, address: behind }) => `${name}://${behind}`),
    ].join();
    await container.copyContentToContainer([
      { target: SCRIPT, mode: 0o644, content: `export KAFKA_ADVERTISED_LISTENERS=${address}\n` },
    ]);
    await saying(container, 'Kafka Server started');
    const users = Object.entries(this.security?.users ?? {});
    await Promise.all(users.map(([user, password]) => makeUser(container, user, password)));
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

  /** @returns {string} where a user logs in by SCRAM-SHA-512, over TLS */
  getScramBroker() {
    return `${this.getHost()}:${this.getMappedPort(9094)}`;
  }

  /** @returns {string} where a certificate is the login */
  getMtlsBroker() {
    return `${this.getHost()}:${this.getMappedPort(9095)}`;
  }
}

/**
 * @param {import('testcontainers').StartedTestContainer} container
 * @param {string} user
 * @param {string} password
 */
async function makeUser(container, user, password) {
  const file = `${FOLDER}/${user}.properties`;
  const content = `SCRAM-SHA-512=password=${password}\n`;
  await container.copyContentToContainer([{ target: file, mode: 0o644, content }]);
  const { exitCode, output } = await container.exec([
    ...['/opt/kafka/bin/kafka-configs.sh', '--bootstrap-server', 'localhost:9092', '--alter'],
    ...['--entity-type', 'users', '--entity-name', user, '--add-config-file', file],
  ]);
  if (exitCode !== 0) throw new Error(`Kafka did not take the user ${user}:\n${output}`);
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

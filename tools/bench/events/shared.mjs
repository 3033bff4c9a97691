export const TOPIC = 'portcullis.events';
/** The one that services use. */
export const CLIENT = '@platformatic/kafka';
/** What the bare client is given at a time. */
export const BATCH = 500;
export const GROUP = 'security-analytics';

/** For the children: says something to the parent, and what CPU time they have used. */
export function tell(word) {
  const { user, system } = process.cpuUsage();
  process.send({ [word]: true, cpu: user + system });
}

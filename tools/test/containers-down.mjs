export default async function containersDown() {
  await globalThis.portcullisPostgres?.stop();
}

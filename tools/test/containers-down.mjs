export default async function containersDown() {
  await Promise.all((globalThis.portcullisContainers ?? []).map((container) => container.stop()));
}

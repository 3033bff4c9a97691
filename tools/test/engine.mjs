import { getContainerRuntimeClient, ImageName } from 'testcontainers';

/** What container specs run: the servers they ask for, what spoils a network, and what removes containers that a killed run left behind. */
export const IMAGES = {
  postgres: 'postgres:17',
  redis: 'redis:8',
  kafka: 'apache/kafka:4.3.1',
  toxiproxy: 'ghcr.io/shopify/toxiproxy:2.12.0',
  reaper: 'testcontainers/ryuk:0.14.0',
};

/**
 * Can container specs run here? Asks the engine as Testcontainers finds it (DOCKER_HOST, the context, the usual sockets),
 * and pulls what is not there.
 * @returns {Promise<string | undefined>} why they cannot; undefined = they can
 */
export async function whyNoContainers() {
  let client;
  try {
    client = await getContainerRuntimeClient();
  } catch {
    return 'no container engine answers; tools/offline-images/engine.sh starts one';
  }
  for (const image of Object.values(IMAGES)) {
    const name = ImageName.fromString(image);
    try {
      if (!(await client.image.exists(name))) await client.image.pull(name);
    } catch {
      return `there is no image ${image} and it cannot be pulled; tools/offline-images/images.sh builds one`;
    }
  }
  return undefined;
}

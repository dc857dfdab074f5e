/** Where the seed of a stick waits for the first boot, as its unit knows too. */
export const seedRoot = '/run/streamverse-seed';
export const stickMountDirectory = '/run/streamverse-stick';

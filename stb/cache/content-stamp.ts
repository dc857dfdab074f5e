/** Every file system of Debian keeps a modification time up to here. */
const stampBits = 31;

/**
 * The modification time, in seconds, that a cached file is given: the first bits of its digest. nginx makes an ETag of a
 * file's time and size, so that tag becomes a function of the bytes: the same after a restart, another when the object
 * was replaced, and known to our own process, whose answers carry it too (stb/serve/entity-tag.ts).
 */
export const contentStampSeconds = (sha256: string): number =>
	Number.parseInt(sha256.slice(0, 8), 16) >>> (32 - stampBits);

import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, open, symlink} from 'node:fs/promises';
import {dirname, join, posix} from 'node:path';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {type Extract, extract, type Header} from 'tar-stream';
import {CodedError} from '#appliance/error/coded-error.ts';
import {syncDirectory} from '#ota/slot/directory/boot-record.ts';
import {slotError} from '#ota/slot/slot-error.ts';

type Entry = Extract extends AsyncIterable<infer Source> ? Source : never;

export const tarEntriesMax = 200_000;
const nameBytesMax = 1024;
const depthMax = 64;
/** NUL ends a name for the system, and a line's end forges lines wherever names are listed. */
const unprintable = /\p{Cc}/u;
/** Neither setuid nor anybody else's right to write gets in. */
const modeMask = 0o755;

export type ExtractOptions = {
	readonly path: string;
	/** An empty directory. */
	readonly into: string;
	readonly signal: AbortSignal;
	readonly onBytes?: (bytes: number) => void;
	readonly onEntry?: (name: string) => void | Promise<void>;
};

/**
 * Unpacks a plain tar below a directory and nowhere else: no absolute or climbing name, no device, no hard link, no
 * symbolic link that leads out; links are made last, so that nothing is ever written through one. Answers the digest of
 * the file that was read.
 */
export const extractTar = async (options: ExtractOptions): Promise<{readonly sha256: string}> => {
	const {path, into, signal, onBytes} = options;
	const hash = createHash('sha256');
	const hashing = new Transform({
		transform: (chunk: Buffer, _encoding, done) => {
			hash.update(chunk);
			onBytes?.(chunk.length);
			done(null, chunk);
		},
	});
	const archive = extract();
	const links: {readonly path: string; readonly target: string}[] = [];
	const reading = pipeline(createReadStream(path), hashing, archive, {signal});
	try {
		await Promise.all([reading, unpack(archive, links, options)]);
	} catch (error) {
		archive.destroy();
		await reading.catch(() => undefined);
		signal.throwIfAborted();
		throw error instanceof CodedError || (error instanceof Error && 'syscall' in error)
			? error
			: slotError('OTA_SLOT_BUNDLE_INVALID', {
					message: 'The bundle is no tar that can be read.',
					cause: error,
					retryable: true,
				});
	}
	for (const link of links) {
		await symlink(link.target, link.path).catch((error: unknown) => {
			throw hostile(link.path, 'it takes the place of something else', error);
		});
	}
	await syncDirectory(into);
	return {sha256: hash.digest('hex')};
};

const unpack = async (
	archive: AsyncIterable<Entry>,
	links: {path: string; target: string}[],
	{into, signal, onEntry}: ExtractOptions,
): Promise<void> => {
	let entries = 0;
	for await (const entry of archive) {
		signal.throwIfAborted();
		entries += 1;
		const {header} = entry;
		if (entries > tarEntriesMax) {
			throw hostile(header.name, `the bundle has more than ${tarEntriesMax} entries`);
		}
		const name = safeName(header.name);
		await onEntry?.(name);
		await takeEntry(entry, {name, into, links});
	}
	if (entries === 0) {
		throw slotError('OTA_SLOT_BUNDLE_INVALID', {message: 'The bundle is empty, or is no tar.'});
	}
};

const takeEntry = async (
	entry: Entry,
	{name, into, links}: {readonly name: string; readonly into: string; readonly links: {path: string; target: string}[]},
): Promise<void> => {
	const {header} = entry;
	const path = join(into, name);
	switch (header.type) {
		case 'directory':
			await mkdir(path, {recursive: true, mode: 0o755});
			entry.resume();
			return;
		case 'symlink':
			await mkdir(dirname(path), {recursive: true, mode: 0o755});
			links.push({path, target: safeTarget(name, header)});
			entry.resume();
			return;
		case 'file':
		case 'contiguous-file':
			await mkdir(dirname(path), {recursive: true, mode: 0o755});
			await writeEntry(entry, path);
			return;
		default:
			throw hostile(name, `it is a ${header.type}`);
	}
};

const writeEntry = async (entry: Entry, path: string): Promise<void> => {
	try {
		await using handle = await open(path, 'wx', (entry.header.mode ?? 0o644) & modeMask);
		for await (const chunk of entry as AsyncIterable<Buffer>) {
			await handle.writeFile(chunk);
		}
		await handle.sync();
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
			throw hostile(entry.header.name, 'it is there twice', error);
		}
		throw error;
	}
};

const safeName = (name: string): string => {
	const parts = name
		.replace(/\/+$/u, '')
		.split('/')
		.filter((part) => part !== '.');
	const bad =
		name.startsWith('/') ||
		unprintable.test(name) ||
		name.includes('\\') ||
		Buffer.byteLength(name) > nameBytesMax ||
		parts.length > depthMax ||
		parts.some((part) => part === '..' || part === '');
	if (bad) {
		throw hostile(name, 'its name leads out of the slot, or is none');
	}
	return parts.join('/');
};

/** Only leading `..`, and no more of them than the link is deep: whatever else is a link cannot bend such a path outwards. */
const safeTarget = (name: string, {linkname}: Header): string => {
	const target = linkname ?? '';
	const parts = target.split('/');
	const climbs = parts.findIndex((part) => part !== '..');
	const rest = climbs === -1 ? [] : parts.slice(climbs);
	const depth = posix.dirname(name) === '.' ? 0 : posix.dirname(name).split('/').length;
	const up = parts.length - rest.length;
	if (target === '' || target.startsWith('/') || unprintable.test(target) || up > depth || rest.includes('..')) {
		throw hostile(name, 'it is a link that leads out of the slot');
	}
	return target;
};

const hostile = (name: string, why: string, cause?: unknown): CodedError =>
	slotError('OTA_SLOT_BUNDLE_HOSTILE', {
		message: `The bundle is refused because of ${JSON.stringify(name.slice(0, 128))}: ${why}.`,
		cause,
	});

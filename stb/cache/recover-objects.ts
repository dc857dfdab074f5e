import {readdir, readFile, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {parseObjectUri} from '#appliance/contract/object-uri.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {CacheIndex} from '#stb/cache/cache-index.ts';
import {type CacheLayout, objectPath, parseFileName, sidecarPath} from '#stb/cache/cache-layout.ts';
import {isExpired, type StoredObject, sidecarSchema} from '#stb/cache/cached-object.ts';
import {digestOfFile} from '#stb/cache/verify-file.ts';

const pageObjects = 500;

export type Recovery = {
	readonly generationMax: number;
	/** Whole pairs of files that the index does not know: in flight when the box died, or all of them when it is new. */
	readonly unknown: readonly number[];
	/** Rows whose file is gone or has another size; dropped. */
	readonly dropped: number;
	/** Files that belong to nothing; removed. */
	readonly orphans: number;
};

/** Compares what lies on the disk with the index and removes the halves. Reads names and sizes only. */
export const reconcile = async (layout: CacheLayout, index: CacheIndex): Promise<Recovery> => {
	const kinds = new Map<number, {object: boolean; json: boolean}>();
	let orphans = 0;
	for (const name of await readdir(layout.objects)) {
		const parsed = parseFileName(name);
		if (parsed === undefined) {
			await rm(join(layout.objects, name), {recursive: true, force: true});
			orphans += 1;
			continue;
		}
		const kind = kinds.get(parsed.generation) ?? {object: false, json: false};
		kind[parsed.kind] = true;
		kinds.set(parsed.generation, kind);
	}
	let generationMax = index.totals().generationMax;
	const dropped = await dropLostRows(layout, index, kinds);
	const unknown: number[] = [];
	for (const [generation, kind] of kinds) {
		generationMax = Math.max(generationMax, generation);
		if (kind.object && kind.json) {
			unknown.push(generation);
		} else {
			await removeFiles(layout, generation);
			orphans += 1;
		}
	}
	return {generationMax, unknown: unknown.sort((a, b) => a - b), dropped, orphans};
};

/** Takes out of `kinds` what the index knows rightly. */
const dropLostRows = async (
	layout: CacheLayout,
	index: CacheIndex,
	kinds: Map<number, {object: boolean; json: boolean}>,
): Promise<number> => {
	let after = '';
	let dropped = 0;
	for (;;) {
		const page = index.page({after, limit: pageObjects});
		const last = page.at(-1);
		if (last === undefined) {
			return dropped;
		}
		after = last.uri;
		const lost: string[] = [];
		const sizes = await Promise.all(page.map(async ({generation}) => await sizeOf(objectPath(layout, generation))));
		for (const [position, object] of page.entries()) {
			const intact = kinds.get(object.generation)?.json === true && sizes[position] === object.sizeBytes;
			if (intact) {
				kinds.delete(object.generation);
			} else {
				lost.push(object.uri);
				// An object of a wrong size is no half to be adopted later.
				await removeFiles(layout, object.generation);
				kinds.delete(object.generation);
			}
		}
		index.delete(lost);
		dropped += lost.length;
	}
};

const sizeOf = async (path: string): Promise<number | undefined> => {
	try {
		return (await stat(path)).size;
	} catch {
		return undefined;
	}
};

export const removeFiles = async (layout: CacheLayout, generation: number): Promise<void> => {
	// The sidecar goes first: an object without one is an orphan, and never adopted.
	await rm(sidecarPath(layout, generation), {force: true});
	await rm(objectPath(layout, generation), {force: true});
};

/** Reads an unknown pair and verifies size and digest; undefined (with a reason in the log) when it must go. */
export const verifyUnknown = async (
	layout: CacheLayout,
	generation: number,
	options: {readonly nowMs: number; readonly signal: AbortSignal; readonly logger: Logger},
): Promise<StoredObject | undefined> => {
	try {
		const sidecar = sidecarSchema.parse(JSON.parse(await readFile(sidecarPath(layout, generation), 'utf8')));
		if (isExpired(sidecar, options.nowMs)) {
			return undefined;
		}
		const digest = await digestOfFile(objectPath(layout, generation), options);
		if (digest.sha256 !== sidecar.sha256 || digest.sizeBytes !== sidecar.sizeBytes) {
			options.logger.warn({uri: sidecar.uri, generation}, 'an object on the disk is not what it was; removed');
			return undefined;
		}
		const {version: _, uri, ...facts} = sidecar;
		return {...facts, uri: parseObjectUri(uri), generation, lastUsedMs: sidecar.storedMs};
	} catch (error) {
		options.signal.throwIfAborted();
		options.logger.warn({generation, reason: errorMessage(error)}, 'an object on the disk cannot be read; removed');
		return undefined;
	}
};

import {setTimeout as delay} from 'node:timers/promises';
import {type CatalogueObject, cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {signallingListSchema} from '#appliance/contract/signalling-list-schema.ts';
import {askBox} from '#demo/watch/watch-boxes.ts';

const readIntervalMs = 400;

/** Every version that an object has had at its source since the demo began, by URI. */
export type SourceDigests = {
	readonly has: (uri: string) => boolean;
	readonly isSignalling: (uri: string) => boolean;
	readonly versions: (uri: string) => ReadonlySet<string>;
	/** Reads the catalogue once more, now. */
	readonly refresh: () => Promise<void>;
	readonly objects: () => number;
};

/**
 * Remembers the digests of the headend's catalogue, because live objects leave it again while a set-top still has them.
 * It listens to the feed and not only to the pages: a live manifest changes faster than anybody reads pages.
 */
export const rememberSourceDigests = (options: {
	readonly headendUrl: string;
	readonly signal: AbortSignal;
}): SourceDigests => {
	const {headendUrl, signal} = options;
	const digests = new Map<string, Set<string>>();
	const remember = ({uri, sha256}: Pick<CatalogueObject, 'uri' | 'sha256'>): void => {
		const versions = digests.get(uri) ?? new Set<string>();
		versions.add(sha256);
		digests.set(uri, versions);
	};
	const signalling = new Set<string>();
	const refreshSignalling = async (): Promise<void> => {
		for (const object of (await askBox(`${headendUrl}/signalling`, signallingListSchema)).objects) {
			signalling.add(object.uri);
			remember(object);
		}
	};
	const refresh = async (): Promise<void> => {
		await refreshSignalling();
		let after = '';
		do {
			const page = await askBox(`${headendUrl}/catalogue?after=${encodeURIComponent(after)}`, cataloguePageSchema);
			for (const object of page.objects) {
				remember(object);
			}
			after = page.next ?? '';
		} while (after !== '');
	};
	void follow({headendUrl, signal, remember, refresh});
	void poll(refreshSignalling, signal);
	return {
		isSignalling: (uri) => signalling.has(uri),
		has: (uri) => digests.has(uri),
		versions: (uri) => digests.get(uri) ?? new Set(),
		refresh,
		objects: () => digests.size,
	};
};

/** The announcement changes with the titles, and has no feed. */
const poll = async (refresh: () => Promise<void>, signal: AbortSignal): Promise<void> => {
	while (!signal.aborted) {
		await refresh().catch(() => undefined);
		await delay(readIntervalMs, undefined, {signal}).catch(() => undefined);
	}
};

const follow = async (options: {
	readonly headendUrl: string;
	readonly signal: AbortSignal;
	readonly remember: (object: {uri: string; sha256: string}) => void;
	readonly refresh: () => Promise<void>;
}): Promise<void> => {
	const {headendUrl, signal, remember, refresh} = options;
	while (!signal.aborted) {
		try {
			await refresh();
			const response = await fetch(`${headendUrl}/catalogue/feed`, {signal});
			const decoder = new TextDecoder();
			let pending = '';
			for await (const chunk of response.body ?? []) {
				pending += decoder.decode(chunk, {stream: true});
				const lines = pending.split('\n');
				pending = lines.pop() ?? '';
				for (const line of lines.filter((text) => text.startsWith('data: '))) {
					const change = JSON.parse(line.slice('data: '.length)) as {kind: string; object?: CatalogueObject};
					if (change.object !== undefined) {
						remember(change.object);
					}
				}
			}
		} catch {
			// A headend that restarts is followed again.
		}
		await delay(readIntervalMs, undefined, {signal}).catch(() => undefined);
	}
};

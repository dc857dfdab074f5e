import type {CatalogueObject} from '#appliance/contract/catalogue-schema.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {HeadendClient} from '#pop-node/ingest/headend-client.ts';
import type {StoreEntry} from '#pop-node/store/catalogue-table.ts';
import type {ObjectStore} from '#pop-node/store/object-store.ts';

export type FollowState =
	| {readonly kind: 'syncing'; readonly objects: number}
	| {readonly kind: 'following'; readonly revision: number}
	| {readonly kind: 'waiting'; readonly failure: string; readonly attempt: number};

export type FollowOptions = {
	readonly client: HeadendClient;
	readonly store: ObjectStore;
	readonly logger: Logger;
	readonly signal: AbortSignal;
	readonly retryDelayMinMs: number;
	readonly retryDelayMaxMs: number;
	readonly onState: (state: FollowState) => void;
	/** What was known of an object of which there is another version now. */
	readonly onReplaced: (entry: StoreEntry) => Promise<void>;
	/** Something changed that may have to be downloaded. */
	readonly onChange: () => void;
};

/**
 * Keeps the index equal to the headend's catalogue until the signal aborts. Each time the headend is there again the whole
 * catalogue is read once, then the feed from the revision at which that reading began: so it does not matter how much of
 * its history a headend remembers, nor whether it is still the same headend.
 */
export const followCatalogue = async (options: FollowOptions): Promise<void> => {
	const {signal, logger, onState} = options;
	let attempt = 0;
	while (!signal.aborted) {
		const connection = new AbortController();
		const connectionSignal = AbortSignal.any([signal, connection.signal]);
		try {
			const revision = await readWhole({...options, signal: connectionSignal});
			attempt = 0;
			logger.info({revision}, 'follows the headend');
			await readFeed({...options, signal: connectionSignal}, revision);
		} catch (error) {
			if (signal.aborted) {
				return;
			}
			const odd = !hasCode(error, 'POP_NODE_HEADEND_UNREACHABLE');
			logger[odd ? 'warn' : 'info']({err: error, attempt}, 'lost the headend');
			onState({kind: 'waiting', failure: String(error), attempt});
		} finally {
			connection.abort();
		}
		const delayMs = backoffMs(attempt, {initialMs: options.retryDelayMinMs, maxMs: options.retryDelayMaxMs});
		attempt += 1;
		await sleep(delayMs, {signal}).catch(() => undefined);
	}
};

/** Reads every page and removes what is on none. Answers the revision from which the feed continues. */
const readWhole = async (options: FollowOptions): Promise<number> => {
	const {client, store, signal, onState, onReplaced, onChange} = options;
	const seen = new Set<string>();
	let firstRevision: number | undefined;
	let after: string | undefined;
	do {
		const page = await client.page(after, signal);
		if (firstRevision === undefined) {
			firstRevision = page.revision;
			if (page.revision < store.table.revision()) {
				store.table.resetRevisions();
			}
		}
		const replaced = store.table.transaction(() =>
			page.objects.map((object) => {
				seen.add(object.path);
				return putObject(store, object);
			}),
		);
		for (const entry of replaced.filter((known) => known !== undefined)) {
			await onReplaced(entry);
		}
		onState({kind: 'syncing', objects: seen.size});
		onChange();
		// A page that leads nowhere would be read for ever.
		after = page.next === after ? undefined : page.next;
	} while (after !== undefined);
	for (const path of [...store.table.paths()].filter((known) => !seen.has(known))) {
		await store.remove(path, firstRevision);
	}
	store.table.setRevision(firstRevision);
	return firstRevision;
};

const readFeed = async (
	{client, store, signal, onState, onReplaced, onChange}: FollowOptions,
	sinceRevision: number,
): Promise<void> => {
	onState({kind: 'following', revision: sinceRevision});
	for await (const change of client.feed(sinceRevision, signal)) {
		const replaced = change.kind === 'put' ? putObject(store, change.object) : undefined;
		if (change.kind === 'delete') {
			await store.remove(change.path, change.revision);
		} else if (replaced !== undefined) {
			await onReplaced(replaced);
		}
		const {revision} = change.kind === 'put' ? change.object : change;
		store.table.setRevision(revision);
		onState({kind: 'following', revision});
		onChange();
	}
};

/** Answers what it replaces, if that was another version. */
const putObject = ({table}: ObjectStore, object: CatalogueObject): StoreEntry | undefined => {
	const known = table.findByPath(object.path);
	table.put(object);
	return known?.sha256 === object.sha256 ? undefined : known;
};

import {mkdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Bundle} from '#appliance/contract/fleet/release-schema.ts';
import type {FetchedBytes} from '#appliance/contract/fleet/update-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {AgentStore} from '#ota/agent/agent-store.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {fetchBundle} from '#ota/agent/fetch/fetch-bundle.ts';
import {type JudgeFacts, type Judgement, judgeOrder, pickBundle} from '#ota/agent/judge-order.ts';
import type {SettledOptions} from '#ota/agent/settled-options.ts';
import type {VerifiedBundle} from '#ota/slot/slot-installer.ts';

/**
 * Where the bundles of a box lie: the one that is fetched, and the one of the running release, kept for its blocks unless
 * those can be read from the slots.
 */
export type BundleShelf = {
	readonly judge: (
		order: UpdateOrder,
		facts: Pick<JudgeFacts, 'running' | 'isFactory' | 'origin' | 'nowMs' | 'expiresMs' | 'freeBytes'>,
	) => Promise<Judgement>;
	/** Resolves when the whole bundle is on disk with the digest that the release key signed. */
	readonly fetch: (
		order: UpdateOrder,
		options: {readonly isLastAttempt?: boolean; readonly signal: AbortSignal},
	) => Promise<FetchedBytes>;
	readonly verified: (order: UpdateOrder) => Promise<VerifiedBundle>;
	/** What an order has cost so far. */
	readonly bytesOf: (order: UpdateOrder) => FetchedBytes;
	readonly clean: (options: {readonly keep: boolean}) => Promise<void>;
};

const noBytes: FetchedBytes = {carousel: 0, local: 0, unicast: 0};

export const createBundleShelf = (options: SettledOptions, store: AgentStore): BundleShelf => {
	const directory = join(options.stateDirectory, 'bundle');
	const keptPath = join(directory, 'kept.bundle');
	const pathOf = ({sha256}: {readonly sha256: string}): string => join(directory, `${sha256}.part`);
	const {kind, compatible, format, limits} = options;
	const {slotPaths = []} = options.sources;

	const verify: typeof options.verify = async (signed) => {
		try {
			return await options.verify(signed);
		} catch (error) {
			throw new CodedError<AgentErrorCode>('OTA_REFUSED_SIGNATURE', {
				message: `The release is not signed as it must be: ${errorMessage(error)}`,
				cause: error,
			});
		}
	};
	const bundleOf = async (order: UpdateOrder): Promise<Bundle> =>
		pickBundle(order, await verify(order), {kind, compatible, format});
	const progressOf = (order: UpdateOrder): ReturnType<AgentStore['readProgress']> => {
		const progress = store.readProgress();
		return progress?.orderId === order.orderId ? progress : undefined;
	};
	return {
		judge: async (order, facts) => {
			await mkdir(directory, {recursive: true});
			const manifest = await verify(order);
			const ranges = progressOf(order)?.ranges ?? [];
			const fetchedBytes = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
			const highest = store.readHighest();
			const {roomReserveBytes} = limits;
			return judgeOrder(order, manifest, {
				...{...facts, kind, compatible, format, highest, fetchedBytes, roomReserveBytes},
			});
		},
		fetch: async (order, {isLastAttempt = false, signal}) => {
			await mkdir(directory, {recursive: true});
			const bundle = await bundleOf(order);
			return await fetchBundle({
				order,
				isLastAttempt,
				bundle,
				path: pathOf(bundle),
				progress: progressOf(order),
				keepProgress: store.writeProgress,
				...options.sources,
				local: [...(store.readKept() === undefined ? [] : [keptPath]), ...slotPaths],
				clock: options.clock,
				random: options.random,
				logger: options.logger,
				signal,
			});
		},
		verified: async (order) => {
			const bundle = await bundleOf(order);
			const {release, manifest, signature} = order;
			return {path: pathOf(bundle), release, bundle, manifest, signature};
		},
		bytesOf: (order) => progressOf(order)?.bytes ?? noBytes,
		clean: async ({keep}) => {
			const sha256 = store.readProgress()?.sha256;
			if (sha256 === undefined) {
				return;
			}
			// What runs lies in a slot as well, where there are any to be read.
			if (keep && slotPaths.length === 0) {
				await rename(pathOf({sha256}), keptPath);
				store.writeKept(sha256);
			}
			store.writeProgress(undefined);
			await rm(pathOf({sha256}), {force: true});
		},
	};
};

import type {Agent} from 'node:https';
import type {FetchSource, UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import type {Bundle} from '#appliance/contract/fleet/release-schema.ts';
import type {FetchedBytes} from '#appliance/contract/fleet/update-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {FetchProgress} from '#ota/agent/agent-store.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {type BlockList, discardBadBlocks} from '#ota/agent/fetch/block-list.ts';
import {derivableRanges, deriveBlocks} from '#ota/agent/fetch/derive-blocks.ts';
import {fetchByHttps} from '#ota/agent/fetch/fetch-by-https.ts';
import type {FetchContext} from '#ota/agent/fetch/fetch-context.ts';
import {fetchFromBlocks} from '#ota/agent/fetch/fetch-from-blocks.ts';
import {fetchFromCarousel} from '#ota/agent/fetch/fetch-from-carousel.ts';
import {fetchFromFile} from '#ota/agent/fetch/fetch-from-file.ts';
import {type FetchLimits, fetchLimits} from '#ota/agent/fetch/fetch-limits.ts';
import {PartFile} from '#ota/agent/fetch/part-file.ts';
import {withinDeadline} from '#ota/agent/within-deadline.ts';

export type FetchBundleOptions = {
	/** A whole bundle is dear: where its list of blocks did not come, but may yet, only the last attempt fetches all of it. */
	readonly isLastAttempt?: boolean;
	readonly order: Pick<UpdateOrder, 'orderId' | 'sources' | 'byteBudgetBytes' | 'deadlines'>;
	readonly bundle: Bundle;
	readonly path: string;
	readonly local: readonly string[];
	readonly progress: FetchProgress | undefined;
	readonly keepProgress: (progress: FetchProgress) => void;
	readonly httpsAgent: () => Agent | undefined;
	readonly roleUrl?: () => string | undefined;
	readonly broughtBundle?: (sha256: string) => string | undefined;
	readonly limits?: Partial<FetchLimits>;
	readonly clock: Clock;
	readonly random: () => number;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

type BroughtFile = {readonly kind: 'file'; readonly path: string};

/**
 * Fetches a bundle from what was brought by hand, then from the order's sources, one after the other; each fills what
 * those before left. Resolves when the
 * whole has the digest of the signed manifest. What came before an error stays, and is counted.
 */
export const fetchBundle = async (options: FetchBundleOptions): Promise<FetchedBytes> => {
	const {order, bundle, path, progress, keepProgress, clock} = options;
	const limits = {...fetchLimits, ...options.limits};
	const {checkpointBytes} = limits;
	await using part = await PartFile.open({
		path,
		orderId: order.orderId,
		sha256: bundle.sha256,
		sizeBytes: bundle.sizeBytes,
		byteBudgetBytes: order.byteBudgetBytes,
		progress,
		keepProgress,
		checkpointBytes,
		clock,
	});
	// The row that names the file comes before the file's first byte, so that none is ever left behind.
	await part.checkpoint();
	let broken: unknown;
	const work = async (signal: AbortSignal): Promise<void> => {
		const roleUrl = options.roleUrl ?? (() => undefined);
		await fetchAll(order.sources, {...options, roleUrl, part, limits, signal}, options);
	};
	try {
		const timeoutMs = order.deadlines.fetchMs - part.spentMs();
		await withinDeadline(work, {what: 'Fetching', timeoutMs, signal: options.signal});
	} catch (error) {
		broken = error;
		throw error;
	} finally {
		await part.checkpoint().catch((error: unknown) => {
			options.logger.warn({err: error}, 'what was fetched cannot be noted');
			if (broken === undefined) {
				throw error;
			}
		});
	}
	return part.bytes();
};

const fetchAll = async (
	sources: readonly FetchSource[],
	context: FetchContext,
	{isLastAttempt = false}: Pick<FetchBundleOptions, 'isLastAttempt'>,
): Promise<void> => {
	const {part, signal, logger} = context;
	let failure: unknown;
	let lateList: unknown;
	let blocks: BlockList | undefined;
	if (part.isWhole() && (await isRight(blocks, context))) {
		return;
	}
	const brought = context.broughtBundle?.(context.bundle.sha256);
	const ways = [...(brought === undefined ? [] : [{kind: 'file', path: brought} as const]), ...sources];
	for (const source of ways) {
		if (source.kind === 'https' && blocks === undefined && lateList !== undefined && !isLastAttempt) {
			failure = lateList;
			continue;
		}
		try {
			blocks = (await fetchFrom(source, blocks, context)) ?? blocks;
		} catch (error) {
			signal.throwIfAborted();
			logger.warn({err: error, source: source.kind}, 'a source did not give the bundle');
			failure = error;
			if (source.kind === 'blocks' && error instanceof CodedError && error.retryable) {
				lateList = error;
			}
		}
		if (part.isWhole()) {
			if (await isRight(blocks, context)) {
				return;
			}
			failure = new CodedError<AgentErrorCode>('OTA_FAILED_DIGEST', {
				message: 'What came is not what the release key signed.',
				retryable: true,
			});
		}
	}
	throw failedFetch(failure);
};

const fetchFrom = async (
	source: FetchSource | BroughtFile,
	blocks: BlockList | undefined,
	context: FetchContext,
): Promise<BlockList | undefined> => {
	switch (source.kind) {
		case 'file':
			await fetchFromFile(source.path, context);
			return undefined;
		case 'carousel':
			await fetchFromCarousel(source, context);
			return undefined;
		case 'blocks':
			return await fetchFromBlocks(source.url, context);
		case 'https':
			if (blocks !== undefined) {
				await fetchByHttps(source.url, context, {except: derivableRanges(blocks, context)});
				await deriveBlocks(blocks, context);
			}
			await fetchByHttps(source.url, context);
			return undefined;
	}
};

/** Of wrong bytes only those are forgotten that are known to be wrong; without a list, all. */
const isRight = async (blocks: BlockList | undefined, context: FetchContext): Promise<boolean> => {
	const {part, bundle, signal, logger} = context;
	if ((await part.digest(signal)) === bundle.sha256) {
		return true;
	}
	const bad = blocks === undefined ? 0 : await discardBadBlocks(blocks, context);
	if (bad === 0) {
		part.discard();
	}
	logger.warn({badBlocks: bad}, 'what came is not what the release key signed');
	await part.checkpoint();
	return false;
};

const failedFetch = (cause: unknown): CodedError => {
	if (cause instanceof CodedError && cause.code.startsWith('OTA_FAILED_')) {
		return cause;
	}
	return new CodedError<AgentErrorCode>('OTA_FAILED_FETCH', {
		message: cause instanceof Error ? cause.message : 'No source that the order allows has the whole bundle.',
		cause,
		retryable: cause instanceof CodedError ? cause.retryable : true,
	});
};

import {
	type CarouselOrders,
	carouselOrdersMax,
	carouselOrdersSchema,
} from '#appliance/contract/fleet/carousel-orders-schema.ts';
import {orderBytesMax} from '#appliance/contract/fleet/order-schema.ts';
import {objectUriOfPath, parseObjectUri, pathOfObjectUri} from '#appliance/contract/object-uri.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {AgentErrorCode} from '#ota/agent/error-code.ts';
import {type FetchLimits, fetchLimits} from '#ota/agent/fetch/fetch-limits.ts';
import {requestBytes} from '#ota/agent/fetch/request-bytes.ts';

export type CarouselOrdersOptions = {
	/** The set-top role's HTTP serve on loopback; undefined while it does not run. */
	readonly roleUrl: () => string | undefined;
	/** `http://dvb.gw/<operator>/release/orders.json`. */
	readonly objectUri: string;
	/** Verifies and keeps (FleetLink.takeCarouselOrders). Hears of each version of the object once. */
	readonly take: (orders: CarouselOrders) => Promise<void>;
	readonly intervalMs?: number;
	readonly limits?: Partial<FetchLimits>;
	readonly logger: Logger;
	readonly signal: AbortSignal;
};

/** The satellite repeats the object within its cycle; looking at loopback costs next to nothing. */
const intervalDefaultMs = 10_000;
/** More than the carousel may carry is not read. */
const ordersBytesMax = Math.min(carouselOrdersMax * orderBytesMax, 8 * 1024 ** 2);

/**
 * Looks, until the signal, for the orders that travel in the carousel, for boxes that nobody reaches. Whoever can put
 * objects into a carousel can keep orders from a box, but give it none: each is signed.
 */
export const pollCarouselOrders = async (options: CarouselOrdersOptions): Promise<void> => {
	const {take, intervalMs = intervalDefaultMs, logger, signal} = options;
	let last: string | undefined;
	while (!signal.aborted) {
		try {
			const text = await readOrders(options);
			if (text !== undefined && text !== last) {
				await take(parseOrders(text));
				last = text;
			}
		} catch (error) {
			if (!signal.aborted) {
				logger.warn({err: error}, 'the orders in the carousel cannot be taken');
			}
		}
		await sleep(intervalMs, {signal}).catch(() => undefined);
	}
};

/** The object's text; undefined when it is not (whole) in the cache, or the role does not run. */
const readOrders = async ({roleUrl, objectUri, limits, signal}: CarouselOrdersOptions): Promise<string | undefined> => {
	const base = roleUrl();
	if (base === undefined) {
		return undefined;
	}
	const url = `${base}${pathOfObjectUri(objectUriOfPath(pathOfObjectUri(parseObjectUri(objectUri))))}`;
	const chunks: Buffer[] = [];
	let [there, bytes] = [true, 0];
	await requestBytes(
		{url, headers: {'cache-control': 'only-if-cached'}, limits: {...fetchLimits, ...limits}, signal},
		({statusCode}) => {
			if (statusCode !== 200 && statusCode !== 504 && statusCode !== 404) {
				throw refuse(`The role answered ${statusCode}.`);
			}
			there = statusCode === 200;
		},
		async (chunk) => {
			bytes += chunk.length;
			if (bytes > ordersBytesMax) {
				throw refuse(`The orders have more than ${ordersBytesMax} bytes.`);
			}
			await Promise.resolve(chunks.push(chunk));
		},
	);
	return there ? Buffer.concat(chunks).toString('utf8') : undefined;
};

const parseOrders = (text: string): CarouselOrders => {
	try {
		return carouselOrdersSchema.parse(JSON.parse(text));
	} catch (error) {
		throw refuse('The object is no list of orders that this software understands.', error);
	}
};

const refuse = (message: string, cause?: unknown): CodedError<AgentErrorCode> =>
	new CodedError<AgentErrorCode>('OTA_CAROUSEL_ORDERS', {message, cause});

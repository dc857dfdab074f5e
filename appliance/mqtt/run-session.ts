import {randomUUID} from 'node:crypto';
import type {Presence} from '#appliance/contract/fleet/presence-schema.ts';
import {boxTopic} from '#appliance/contract/fleet/topic.ts';
import {errorCode} from '#appliance/error/coded-error.ts';
import type {BoxIdentity, Credentials} from '#appliance/identity/box-identity.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Connection} from '#appliance/mqtt/connection.ts';
import {goodbyeTimeoutMs, reconnectBackoff, stableConnectionMs} from '#appliance/mqtt/link-limits.ts';
import {type IncomingMessage, openConnection} from '#appliance/mqtt/open-connection.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';

export type RunSessionOptions = {
	readonly identity: BoxIdentity;
	readonly bootId: string;
	readonly logger: Logger;
	readonly clock: Clock;
	readonly random: () => number;
	readonly backoff?: {readonly initialMs: number; readonly maxMs: number} | undefined;
	readonly onMessage: (message: IncomingMessage) => Promise<void>;
	/** Present, subscribed and ready. */
	readonly onConnected: (connection: Connection) => void;
	readonly onLost: () => void;
	readonly signal: AbortSignal;
};

/** Keeps one connection for as long as the signal lets it: connect, be present, wait until it is lost, back off, again. */
export const runSession = async (options: RunSessionOptions): Promise<void> => {
	const {identity, logger, clock, random, backoff = reconnectBackoff, signal} = options;
	let attempt = 0;
	while (!signal.aborted) {
		let isRenewed = false;
		const startedMs = clock.monotonicMs();
		try {
			const credentials = await enrolled(identity, signal);
			isRenewed = await holdConnection(options, credentials);
		} catch (error) {
			if (!signal.aborted) {
				logger.info({err: error, code: errorCode(error), attempt}, 'no connection to the fleet');
			}
		}
		if (isRenewed || clock.monotonicMs() - startedMs >= stableConnectionMs) {
			attempt = 0;
		}
		if (!isRenewed && !signal.aborted) {
			await sleep(backoffMs(attempt, {...backoff, random}), {signal}).catch(() => undefined);
			attempt += 1;
		}
	}
};

const enrolled = (identity: BoxIdentity, signal: AbortSignal): Promise<Credentials> => {
	const {promise, resolve, reject} = Promise.withResolvers<Credentials>();
	const stopListening = identity.onCredentials(resolve);
	const onAbort = (): void => reject(signal.reason as Error);
	signal.addEventListener('abort', onAbort, {once: true});
	return promise.finally(() => {
		stopListening();
		signal.removeEventListener('abort', onAbort);
	});
};

/** Resolves when the connection has ended; true when it was ended to come back with a renewed certificate. */
const holdConnection = async (options: RunSessionOptions, credentials: Credentials): Promise<boolean> => {
	const {identity, bootId, clock, logger, signal} = options;
	const {deviceId} = identity;
	const sessionId = randomUUID();
	const presence = (state: Presence['state']): string =>
		JSON.stringify({version: 1, state, bootId, sessionId, sinceMs: clock.nowMs()} satisfies Presence);
	const connection = await openConnection({
		...{deviceId, credentials, logger, signal, onMessage: options.onMessage},
		brokerUrl: identity.claim.brokerUrl,
		will: presence('offline'),
	});
	const path = boxTopic(deviceId, 'presence');
	try {
		await connection.publish(path, presence('online'), {retain: true});
		logger.info({sessionPresent: connection.sessionPresent}, 'connected to the fleet');
		options.onConnected(connection);
		return await untilOver(identity, credentials, {connection, signal});
	} finally {
		options.onLost();
		if (signal.aborted && !connection.lost.aborted) {
			const goodbye = connection.publish(path, presence('offline'), {retain: true});
			await Promise.race([goodbye, sleep(goodbyeTimeoutMs)]).catch(() => undefined);
		}
		await connection.end();
	}
};

const untilOver = async (
	identity: BoxIdentity,
	used: Credentials,
	{connection, signal}: {readonly connection: Connection; readonly signal: AbortSignal},
): Promise<boolean> => {
	const {promise, resolve} = Promise.withResolvers<boolean>();
	const stopListening = identity.onCredentials(({certificatePem}) => {
		if (certificatePem !== used.certificatePem) {
			resolve(true);
		}
	});
	const over = AbortSignal.any([connection.lost, signal]);
	over.addEventListener('abort', () => resolve(false), {once: true});
	if (over.aborted) {
		resolve(false);
	}
	return await promise.finally(stopListening);
};

import {connect} from 'mqtt';
import type {BrokerCredentials} from '#ota/fleet/server/connect-broker.ts';

const cutTimeoutMs = 10_000;

/**
 * Throws a box out of the broker: whoever connects with the id of a client ends that client's connection (MQTT 5 section
 * 3.1.4-3), and a clean start that ends at once takes its session with it. The box's will is published, so that the
 * fleet sees it go.
 */
export const cutOffBox = async (options: {
	readonly box: string;
	/** Of the listener for servers, where any client id may be taken. */
	readonly serverUrl: string;
	readonly credentials: BrokerCredentials | undefined;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {box, serverUrl, credentials, signal} = options;
	const client = connect(serverUrl, {
		protocolVersion: 5,
		clientId: box,
		clean: true,
		reconnectPeriod: 0,
		connectTimeout: cutTimeoutMs,
		properties: {sessionExpiryInterval: 0},
		...(credentials === undefined
			? {}
			: {ca: credentials.caPem, cert: credentials.certificatePem, key: credentials.keyPem}),
	});
	const limit = AbortSignal.any([signal, AbortSignal.timeout(cutTimeoutMs)]);
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	const giveUp = (): void => reject(limit.reason);
	limit.addEventListener('abort', giveUp, {once: true});
	client.on('connect', () => resolve());
	client.on('error', reject);
	client.on('close', () => reject(new Error('the broker closed the connection')));
	try {
		limit.throwIfAborted();
		await promise;
	} finally {
		limit.removeEventListener('abort', giveUp);
		await client.endAsync(!client.connected).catch(() => undefined);
	}
};

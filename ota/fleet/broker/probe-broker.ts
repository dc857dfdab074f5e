import {type ConnectionOptions, connect} from 'node:tls';
import {errorCode} from '#appliance/error/coded-error.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {Authority} from '#ota/fleet/authority/open-authority.ts';
import type {RevocationList} from '#ota/fleet/authority/publish-revocations.ts';

const probeTimeoutMs = 5000;
const reloadTimeoutMs = 15_000;
const reloadProbe = {initialMs: 50, maxMs: 500} as const;

export type ProbeTarget = {readonly host: string; readonly port: number; readonly ca: string};

/**
 * `refused` when the broker says that the certificate shown is revoked. TLS 1.2, because there the handshake ends after
 * the broker has looked at the certificate; in TLS 1.3 the client is done before (RFC 8446 section 2).
 */
export const probeBroker = async (
	options: Pick<ConnectionOptions, 'host' | 'port' | 'ca' | 'key' | 'cert'>,
	{signal}: {readonly signal: AbortSignal},
): Promise<'accepted' | 'revoked'> => {
	const {promise, resolve, reject} = Promise.withResolvers<'accepted' | 'revoked'>();
	const socket = connect({...options, maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined});
	const limit = AbortSignal.any([signal, AbortSignal.timeout(probeTimeoutMs)]);
	const giveUp = (): void => reject(limit.reason);
	limit.addEventListener('abort', giveUp, {once: true});
	socket.on('secureConnect', () => resolve('accepted'));
	socket.on('close', () => reject(new Error('the broker closed the connection')));
	socket.on('error', (error) => (isRevokedAlert(error) ? resolve('revoked') : reject(error)));
	try {
		limit.throwIfAborted();
		return await promise;
	} finally {
		limit.removeEventListener('abort', giveUp);
		socket.destroy();
	}
};

/** A certificate of the canary's serial is made, and shown until the broker refuses it: then it knows the list. */
export const untilRefused = async (options: {
	readonly authority: Authority;
	readonly list: RevocationList;
	readonly target: ProbeTarget;
	readonly signal: AbortSignal;
}): Promise<void> => {
	const {authority, list, target, signal} = options;
	const {keyPem, certificatePem} = await authority.issueClient('_canary', list.canary);
	const limit = AbortSignal.any([signal, AbortSignal.timeout(reloadTimeoutMs)]);
	for (let attempt = 0; ; attempt += 1) {
		const answer = await probeBroker({...target, key: keyPem, cert: certificatePem}, {signal: limit});
		if (answer === 'revoked') {
			return;
		}
		await sleep(backoffMs(attempt, reloadProbe), {signal: limit});
	}
};

/** Alert 44 (RFC 5246 section 7.2). OpenSSL's name of it begins with SSLV3 before 3.2 and with SSL/TLS since. */
const isRevokedAlert = (error: unknown): boolean => errorCode(error)?.endsWith('_ALERT_CERTIFICATE_REVOKED') ?? false;

import {mkdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {CodedError, errorCode, hasCode} from '#appliance/error/coded-error.ts';
import type {BoxIdentity, Credentials} from '#appliance/identity/box-identity.ts';
import {openBoxKey} from '#appliance/identity/box-key.ts';
import {makeCertificateRequest} from '#appliance/identity/certificate-request.ts';
import {type KeptClaim, openClaim, spendToken, withoutToken} from '#appliance/identity/claim-store.ts';
import {credentialsOf} from '#appliance/identity/credentials-of.ts';
import type {IdentityErrorCode} from '#appliance/identity/error-code.ts';
import {type EstOptions, type EstProof, enrol, fetchCaCertificates} from '#appliance/identity/est-client.ts';
import {certificateName} from '#appliance/identity/identity-files.ts';
import {orderChain} from '#appliance/identity/read-certificates.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import {backoffMs} from '#appliance/time/backoff.ts';
import {type Clock, systemClock} from '#appliance/time/clock.ts';
import {sleep} from '#appliance/time/sleep.ts';

/** Renewal begins here in the life of a certificate, and a random part of its life later, so that not all ask at once. */
export const renewalShare = 2 / 3;
export const renewalJitterShare = 1 / 20;
/** A timer holds no more, and a clock that was set is noticed by then. */
const waitMaxMs = 3_600_000;
const retryBackoff = {initialMs: 2000, maxMs: 15 * 60_000} as const;

export type IdentityOptions = {
	/** `<stateDirectory>/fleet`. */
	readonly directory: string;
	/** Where a claim may have been put by the flash tool or a stick. */
	readonly claimFile?: string | undefined;
	readonly deviceId: DeviceId;
	readonly logger: Logger;
	readonly clock?: Clock;
	readonly random?: () => number;
};

type Keeper = Required<Pick<IdentityOptions, 'directory' | 'deviceId' | 'clock' | 'random' | 'logger'>> & {
	readonly keyPem: string;
	readonly signal: AbortSignal;
	claim: KeptClaim;
	credentials: Credentials | undefined;
	readonly listeners: Set<(credentials: Credentials) => void>;
};

/**
 * Reads the claim, opens or makes the key, and begins to enrol or to keep the certificate fresh. Throws
 * `APPLIANCE_CLAIM_…` or `APPLIANCE_KEY_UNREADABLE` when a person must do something first; resolves otherwise without
 * waiting for the network.
 */
export const startIdentity = async (options: IdentityOptions): Promise<BoxIdentity> => {
	const {directory, deviceId, logger, clock = systemClock, random = Math.random} = options;
	await mkdir(directory, {recursive: true, mode: 0o700});
	const keyPem = await openBoxKey(directory);
	const claim = await openClaim({directory, claimFile: options.claimFile, deviceId});
	const stop = new AbortController();
	const keeper: Keeper = {
		...{directory, deviceId, keyPem, clock, random, logger: logger.child({component: 'identity'})},
		...{claim, signal: stop.signal, listeners: new Set()},
		credentials: await readCredentials({directory, keyPem, deviceId, claim}),
	};
	const kept = keepFresh(keeper);
	return {
		deviceId,
		claim: withoutToken(claim),
		credentials: () => keeper.credentials,
		onCredentials: (listener) => {
			keeper.listeners.add(listener);
			if (keeper.credentials !== undefined) {
				listener(keeper.credentials);
			}
			return () => keeper.listeners.delete(listener);
		},
		[Symbol.asyncDispose]: async () => {
			stop.abort();
			await kept;
		},
	};
};

/** Those on disk; undefined when there are none, or they are not of this key. They serve until a new claim's are here. */
const readCredentials = async (options: {
	readonly directory: string;
	readonly keyPem: string;
	readonly deviceId: DeviceId;
	readonly claim: KeptClaim;
}): Promise<Credentials | undefined> => {
	const read = async (name: string): Promise<string> => {
		try {
			return await readFile(path.join(options.directory, name), 'utf8');
		} catch (error) {
			if (hasCode(error, 'ENOENT')) {
				return '';
			}
			throw error;
		}
	};
	const [certificatePem, caPem] = [await read(certificateName), await read('ca.pem')];
	return credentialsOf({...options, certificatePem, caPem: `${options.claim.caPem}\n${caPem}`});
};

const keepFresh = async (keeper: Keeper): Promise<void> => {
	const jitter = keeper.random();
	let attempt = 0;
	while (!keeper.signal.aborted) {
		try {
			await waitUntilDue(keeper, jitter);
			await renew(keeper);
			attempt = 0;
		} catch (error) {
			if (keeper.signal.aborted) {
				return;
			}
			keeper.logger.warn({err: error, code: errorCode(error), attempt}, 'no certificate yet');
			await sleep(retryDelayMs(keeper, error, attempt), keeper).catch(() => undefined);
			attempt += 1;
		}
	}
};

const retryDelayMs = ({random}: Keeper, error: unknown, attempt: number): number => {
	const asked = error instanceof CodedError ? error.details['retryAfterMs'] : undefined;
	const ownMs = backoffMs(attempt, {...retryBackoff, random});
	return typeof asked === 'number' ? Math.max(asked, ownMs) : ownMs;
};

/** The moment at which a certificate is to be renewed; `jitter` is in [0, 1). */
export const renewalDueMs = ({notBeforeMs, notAfterMs}: Credentials, jitter: number): number =>
	notBeforeMs + (notAfterMs - notBeforeMs) * (renewalShare + renewalJitterShare * jitter);

const waitUntilDue = async (keeper: Keeper, jitter: number): Promise<void> => {
	for (;;) {
		const {credentials, claim, clock} = keeper;
		const isDue = credentials === undefined || claim.token !== undefined;
		const waitMs = isDue ? 0 : renewalDueMs(credentials, jitter) - clock.nowMs();
		if (waitMs <= 0) {
			return;
		}
		await sleep(Math.min(waitMs, waitMaxMs), keeper);
	}
};

const renew = async (keeper: Keeper): Promise<void> => {
	const {directory, deviceId, keyPem, claim} = keeper;
	const {est, proof} = proofOf(keeper);
	const request = await makeCertificateRequest({deviceId, keyPem});
	let pems: readonly string[];
	try {
		pems = await enrol({...est, request, proof});
	} catch (error) {
		if (keeper.credentials !== undefined && proof.kind === 'token' && hasCode(error, 'APPLIANCE_EST_REFUSED')) {
			// Used already: by this box, which died before it had noted that, or by another, which is the fleet's to see.
			keeper.claim = await spendToken(directory, claim);
		}
		throw error;
	}
	const certificatePem = orderChain(pems, {deviceId, keyPem});
	const caPem = (await fetchCaCertificates(est)).join('');
	await writeDurably(path.join(directory, 'ca.pem'), caPem, {mode: 0o644});
	await writeDurably(path.join(directory, certificateName), certificatePem, {mode: 0o644});
	keeper.claim = await spendToken(directory, claim);
	keeper.credentials = credentialsOf({keyPem, deviceId, certificatePem, caPem: `${claim.caPem}\n${caPem}`});
	keeper.logger.info({notAfterMs: keeper.credentials?.notAfterMs}, 'has a certificate');
	for (const listener of keeper.listeners) {
		if (keeper.credentials !== undefined) {
			listener(keeper.credentials);
		}
	}
};

/** A token that is there is used first: it is of a claim that somebody brought since the box last enrolled. */
const proofOf = ({
	claim,
	credentials,
	keyPem,
	signal,
}: Keeper): {readonly est: EstOptions; readonly proof: EstProof} => {
	const {estUrl} = claim;
	if (claim.token !== undefined) {
		return {est: {estUrl, caPem: claim.caPem, signal}, proof: {kind: 'token', token: claim.token}};
	}
	if (credentials === undefined) {
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_NONE', {
			message: 'The claim has no token and the box no certificate; make a new claim file in the console.',
		});
	}
	const {certificatePem, caPem} = credentials;
	return {est: {estUrl, caPem, signal}, proof: {kind: 'certificate', certificatePem, keyPem}};
};

import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {Claim} from '#appliance/identity/claim-schema.ts';

export type Credentials = {
	readonly keyPem: string;
	/** The box's certificate first, then the chain that EST gave with it. */
	readonly certificatePem: string;
	/** Whom the fleet's servers are verified by: the claim's, and what EST's cacerts told since. */
	readonly caPem: string;
	/** In lower-case hexadecimal. */
	readonly serial: string;
	readonly notBeforeMs: number;
	readonly notAfterMs: number;
};

/**
 * A box's key, certificate and trust. It enrols and renews by itself in the background, for as long as it takes; nobody
 * waits for it but who needs a certificate.
 */
export type BoxIdentity = AsyncDisposable & {
	readonly deviceId: DeviceId;
	/** As on disk, its token gone once it was used. */
	readonly claim: Omit<Claim, 'token'>;
	/** Undefined until the box is enrolled. */
	readonly credentials: () => Credentials | undefined;
	/** Called with the credentials at once if there are any, and after each renewal. Answers how to stop. */
	readonly onCredentials: (listener: (credentials: Credentials) => void) => () => void;
};

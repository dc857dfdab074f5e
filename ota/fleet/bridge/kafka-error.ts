import {CodedError} from '#appliance/error/coded-error.ts';

export type BridgeErrorCode =
	| 'OTA_BRIDGE_KAFKA_FAILED'
	| 'OTA_BRIDGE_KAFKA_FILE'
	| 'OTA_BRIDGE_KAFKA_REFUSED'
	| 'OTA_BRIDGE_KAFKA_UNTRUSTED';

/** How deep causes are looked into. */
const depthMax = 8;

const untrustedCodes = new Set([
	'CERT_HAS_EXPIRED',
	'CERT_NOT_YET_VALID',
	'CERT_SIGNATURE_FAILURE',
	'CERT_UNTRUSTED',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'ERR_TLS_CERT_ALTNAME_INVALID',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What a person must change has its own code and sentence; all of it is tried again, since brokers are changed as well. */
export const kafkaError = (cause: unknown): CodedError<BridgeErrorCode> => {
	const codes = codesOf(cause, depthMax);
	const untrusted = codes.find((code) => untrustedCodes.has(code));
	if (untrusted !== undefined) {
		return failed('OTA_BRIDGE_KAFKA_UNTRUSTED', {
			message: `Kafka’s certificate is not believed (${untrusted}): see kafka.tls.caFile and the names of kafka.brokers.`,
			cause,
		});
	}
	// The client also calls it so when the connection was closed before an answer, as by a listener that expects TLS.
	if (codes.includes('PLT_KFK_AUTHENTICATION') && codes.at(-1) !== 'PLT_KFK_NETWORK') {
		return failed('OTA_BRIDGE_KAFKA_REFUSED', {
			message: 'Kafka refused the account: see kafka.sasl (mechanism, username, password).',
			cause,
		});
	}
	return failed('OTA_BRIDGE_KAFKA_FAILED', {
		message: 'Kafka did not take a batch; it stays in the outbox and is sent again.',
		cause,
	});
};

export const kafkaFileError = (key: string, cause: unknown): CodedError<BridgeErrorCode> =>
	failed('OTA_BRIDGE_KAFKA_FILE', {message: `The file of kafka.tls.${key} cannot be read.`, cause});

const failed = (code: BridgeErrorCode, given: {readonly message: string; readonly cause: unknown}) =>
	new CodedError<BridgeErrorCode>(code, {...given, retryable: true});

/** Of an error, of those that it gathers, and of what caused them. */
const codesOf = (error: unknown, depth: number): readonly string[] => {
	if (!(error instanceof Error) || depth === 0) {
		return [];
	}
	const own = 'code' in error && typeof error.code === 'string' ? [error.code] : [];
	const gathered: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
	return [...own, ...[error.cause, ...gathered].flatMap((inner) => codesOf(inner, depth - 1))];
};

import {stat} from 'node:fs/promises';
import path from 'node:path';
import {
	type ElevationAnswer,
	type ElevationRequest,
	elevationRequestBytesMax,
	elevationRequestSchema,
} from '#appliance/diagnostics/elevate/elevation-schema.ts';
import {judgeElevation} from '#appliance/diagnostics/elevate/judge-elevation.ts';
import {readTrustAnchor, type TrustAnchor} from '#appliance/diagnostics/elevate/trust-anchor.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {createOrderGate, type OrderGate} from '#appliance/identity/order-gate.ts';
import {trustOfClaim} from '#appliance/identity/order-trust.ts';
import {createTrustRepository, trustTables} from '#appliance/identity/trust-repository.ts';
import {openDatabase} from '#appliance/store/open-database.ts';
import type {Clock} from '#appliance/time/clock.ts';

export type ElevationOptions = {
	/** Who asks, as the kernel vouches for it; and who alone may. */
	readonly peerUserId: number;
	readonly supervisorUserId: number;
	readonly anchorPath: string;
	/** Of this service alone: how far the orders went. */
	readonly directory: string;
	/** /dev/pts */
	readonly terminalDirectory: string;
	/** Starts a root shell on a terminal. */
	readonly openShell: (terminal: number) => Promise<void>;
	readonly clock: Clock;
};

/** Answers one request. Whatever is wrong with it, it is refused with a reason. */
export const serveElevation = async (text: string, options: ElevationOptions): Promise<ElevationAnswer> => {
	try {
		const request = parse(text);
		const {peerUserId, supervisorUserId} = options;
		if (peerUserId !== supervisorUserId || request === undefined) {
			return refused('Only the supervisor of this box may ask, and in its own words.');
		}
		if (!(await isOwnTerminal(request, options))) {
			return refused('The terminal is not the supervisor’s.');
		}
		const anchor = await readTrustAnchor(options.anchorPath);
		if (anchor === undefined) {
			return refused('This box has no anchor for the fleet’s orders yet: it gets one with its claim.');
		}
		const {order, keyChain, terminal} = request;
		using trust = openTrust(anchor, options);
		const reason = await judgeElevation({gate: trust.gate, order, keyChain, clock: options.clock});
		if (reason !== undefined) {
			return {kind: 'refused', reason};
		}
		await options.openShell(terminal);
		return {kind: 'opened'};
	} catch (error) {
		return refused(`No shell could be opened: ${errorMessage(error)}`);
	}
};

const parse = (text: string): ElevationRequest | undefined => {
	try {
		return text.length > elevationRequestBytesMax ? undefined : elevationRequestSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
};

/** Else the shell would be put before somebody else's keyboard. */
const isOwnTerminal = async (
	{terminal}: ElevationRequest,
	{terminalDirectory, supervisorUserId}: ElevationOptions,
): Promise<boolean> => {
	const facts = await stat(path.join(terminalDirectory, `${terminal}`)).catch(() => undefined);
	return facts?.isCharacterDevice() === true && facts.uid === supervisorUserId;
};

const openTrust = (
	anchor: TrustAnchor,
	{directory, clock}: ElevationOptions,
): Disposable & {readonly gate: OrderGate} => {
	const database = openDatabase({path: path.join(directory, 'trust.db'), migrations: [trustTables]});
	const repository = createTrustRepository(database);
	repository.begin(trustOfClaim(anchor));
	const gate = createOrderGate({repository, facts: () => ({id: anchor.deviceId}), clock});
	return {gate, [Symbol.dispose]: () => void database.close()};
};

const refused = (message: string): ElevationAnswer => ({
	kind: 'refused',
	reason: {code: 'DIAGNOSTICS_NOT_PERMITTED' satisfies DiagnosticsErrorCode, message: message.slice(0, 1024)},
});

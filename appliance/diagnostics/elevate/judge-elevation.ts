import {commandArguments} from '#appliance/contract/fleet/command-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import type {OrderGate} from '#appliance/identity/order-gate.ts';
import {clockSkewToleranceMs} from '#appliance/identity/verify-order.ts';
import type {Clock} from '#appliance/time/clock.ts';

/**
 * Whether the fleet ordered an elevated terminal on this very box, now, with an order that none was opened with before.
 * Undefined when it did: then the order is spent.
 */
export const judgeElevation = async (options: {
	readonly gate: OrderGate;
	readonly order: string;
	readonly keyChain: readonly string[];
	readonly clock: Clock;
}): Promise<Reason | undefined> => {
	const {gate, clock} = options;
	const broken = await gate.walk(options.keyChain);
	if (broken?.kind === 'refused') {
		return reasonOf(broken);
	}
	const verdict = await gate.verify(options.order);
	if (verdict.kind === 'refused') {
		return reasonOf(verdict);
	}
	const {claims} = verdict;
	const {order, target} = claims;
	const isCommand = order.kind === 'command' && order.name === 'open-stream';
	const asked = isCommand ? commandArguments['open-stream'].safeParse(order.arguments).data?.stream : undefined;
	// An order for a share of the boxes is none for root on each of them.
	if (!isCommand || asked?.kind !== 'terminal' || !asked.elevated || target.kind !== 'box') {
		return refusal('The order is for no elevated terminal on one box.');
	}
	if (order.deadlineMs + clockSkewToleranceMs < clock.nowMs()) {
		return refusal('Whoever asked for this terminal no longer waits for it.');
	}
	return gate.keep(claims) ? undefined : refusal('A terminal was opened with this order, or with one after it.');
};

const reasonOf = ({code, message}: Reason): Reason => ({code, message: message.slice(0, 1024)});

const refusal = (message: string): Reason => ({
	code: 'DIAGNOSTICS_NOT_PERMITTED' satisfies DiagnosticsErrorCode,
	message,
});

import {commandSchema} from '#appliance/contract/fleet/command-schema.ts';
import type {OrderClaims} from '#appliance/contract/fleet/order-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {OrderGate} from '#appliance/identity/order-gate.ts';
import {clockSkewToleranceMs} from '#appliance/identity/verify-order.ts';
import {type CommandAnswers, commandReason} from '#appliance/mqtt/command-answers.ts';
import type {CommandRepository, KeptCommand} from '#appliance/mqtt/command-repository.ts';
import {commandsPendingMax} from '#appliance/mqtt/link-limits.ts';
import type {RefusalTeller} from '#appliance/mqtt/refusal-teller.ts';
import type {Clock} from '#appliance/time/clock.ts';

/** Takes a payload of `command/<name>`; resolves when the command is on disk, answered before, or refused. */
export type CommandIntake = (name: string, payload: string) => Promise<void>;

export const createCommandIntake = (options: {
	readonly gate: OrderGate;
	readonly repository: CommandRepository;
	readonly answers: CommandAnswers;
	readonly refusals: RefusalTeller;
	readonly clock: Clock;
	/** Keeps the revision and the command in one transaction. */
	readonly together: <Answer>(change: () => Answer) => Answer;
	/** A command is there to be run. */
	readonly onCommand: (id: string, jws: string) => void;
}): CommandIntake => {
	const {gate, repository, answers, refusals, clock, together, onCommand} = options;
	const refuse = (payload: string, id: string | undefined, refusal: Reason): void => {
		const {code, message} = refusal;
		if (id === undefined) {
			refusals.tell(payload, refusal);
		} else if (refusals.mayTell()) {
			answers.say({id, state: 'refused', error: commandReason(code, message)});
		}
	};
	const keep = (claims: OrderClaims, command: KeptCommand): boolean =>
		together(() => {
			const isNew = gate.keep(claims);
			if (isNew) {
				repository.put(command);
			}
			return isNew;
		});
	return async (name, payload) => {
		repository.prune(clock.nowMs() - clockSkewToleranceMs);
		const jws = orderOf(payload);
		if (jws === undefined) {
			refuse(payload, undefined, commandReason('MQTT_ORDER_MALFORMED', 'The command cannot be read.'));
			return;
		}
		const verdict = await gate.check(jws);
		const id = verdict.claims?.jti;
		if (id !== undefined && repository.has(id)) {
			answers.repeat(id);
			return;
		}
		if (verdict.kind === 'refused') {
			// An expired one is the fleet's own, whose answer somebody may wait for; of others not even the id is true.
			refuse(jws, id, verdict);
			return;
		}
		const {claims} = verdict;
		const {order} = claims;
		if (order.kind !== 'command' || order.name !== name) {
			refuse(jws, id, commandReason('MQTT_ORDER_MALFORMED', 'The order is not of the command that its topic names.'));
			return;
		}
		if (repository.pending().length >= commandsPendingMax) {
			refuse(jws, id, commandReason('MQTT_COMMAND_BUSY', 'Too many commands wait on this box.'));
			return;
		}
		const command = {
			...{id: claims.jti, name, arguments: JSON.stringify(order.arguments)},
			...{deadlineMs: order.deadlineMs, expiresMs: claims.exp * 1000},
		};
		if (keep(claims, command)) {
			onCommand(claims.jti, jws);
		} else {
			const message = 'A command that was ordered after this one came before it.';
			refuse(jws, id, commandReason('MQTT_ORDER_REPLAYED', message));
		}
	};
};

const orderOf = (payload: string): string | undefined => {
	try {
		return commandSchema.parse(JSON.parse(payload)).order;
	} catch {
		return undefined;
	}
};

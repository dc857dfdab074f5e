import type {Reply} from '#appliance/contract/fleet/command-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import {payloadBytesMax} from '#appliance/contract/fleet/topic.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {CommandRepository} from '#appliance/mqtt/command-repository.ts';
import type {MqttErrorCode} from '#appliance/mqtt/error-code.ts';
import type {CommandOutcome} from '#appliance/mqtt/fleet-link.ts';
import {commandsPendingMax} from '#appliance/mqtt/link-limits.ts';
import type {Clock} from '#appliance/time/clock.ts';

export type CommandAnswers = {
	/** Said once, and lost with the connection: acceptance, progress, refusal. */
	readonly say: (reply: Omit<Reply, 'version' | 'atMs'>) => void;
	/** On disk when it returns, and sent until the broker has it. */
	readonly answer: (id: string, outcome: CommandOutcome | {readonly kind: 'refused'; readonly error: Reason}) => void;
	/** Sends the answer of a command again, if there is one already. */
	readonly repeat: (id: string) => void;
	/** Sends all answers that the broker does not have yet. */
	readonly sendKept: () => void;
};

export const commandReason = (code: MqttErrorCode | (string & {}), message: string): Reason => ({
	code: code.slice(0, 64),
	message: message.slice(0, 1024),
});

export const createCommandAnswers = (options: {
	readonly repository: CommandRepository;
	readonly clock: Clock;
	readonly logger: Logger;
	/** Rejects while there is no connection. */
	readonly publish: (reply: Reply) => Promise<void>;
}): CommandAnswers => {
	const {repository, clock, logger, publish} = options;
	const send = (reply: Reply): void => {
		publish(reply)
			.then(() => repository.markSent(reply.id))
			.catch((error: unknown) => logger.debug({err: error, id: reply.id}, 'an answer waits for the next connection'));
	};
	/** Refusals of what came before the connection was ready: a broker sends what it kept at once. */
	let unsaid: Reply[] = [];
	const sayOnce = (reply: Reply): void => {
		publish(reply).catch((error: unknown) => {
			logger.debug({err: error, id: reply.id}, 'a reply could not be sent');
			if (reply.state === 'refused' && unsaid.length < commandsPendingMax) {
				unsaid.push(reply);
			}
		});
	};
	return {
		say: (reply) => sayOnce({version: 1, atMs: clock.nowMs(), ...reply}),
		answer: (id, outcome) => {
			const reply = fitting({
				version: 1,
				id,
				atMs: clock.nowMs(),
				...(outcome.kind === 'done'
					? {state: 'done', ...(outcome.result === undefined ? {} : {result: outcome.result as Reply['result']})}
					: {state: outcome.kind, error: commandReason(outcome.error.code, outcome.error.message)}),
			});
			repository.answer(reply);
			send(reply);
		},
		repeat: (id) => {
			const reply = repository.reply(id);
			if (reply !== undefined) {
				repository.answer(reply);
				send(reply);
			}
		},
		sendKept: () => {
			const refusals = unsaid;
			unsaid = [];
			refusals.forEach(sayOnce);
			for (const reply of repository.unsent()) {
				send(reply);
			}
		},
	};
};

/** An answer that fits no payload is an answer all the same. */
const fitting = (reply: Reply): Reply => {
	if (Buffer.byteLength(JSON.stringify(reply)) <= payloadBytesMax) {
		return reply;
	}
	const {result: _, ...rest} = reply;
	const error = commandReason('MQTT_REPLY_TOO_LARGE', 'It was done, but its result is too large for a reply.');
	return {...rest, state: 'failed', error};
};

import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {CommandHandler, CommandOutcome, ReceivedCommand} from '#appliance/mqtt/fleet-link.ts';
import type {Clock} from '#appliance/time/clock.ts';

/** What is left of a deadline is at least this, for a box whose clock is ahead of the fleet's. */
const handlerMsMin = 1000;
/** The longest that a timer holds. */
const timerMsMax = 2 ** 31 - 1;
const progressIntervalMs = 500;

/**
 * Runs one command under its deadline. Undefined when the box stops meanwhile: what is done when it stops (a reboot) is
 * answered by the handler before, and anything else is found interrupted at the next start.
 */
export const runHandler = async (
	handle: CommandHandler,
	command: ReceivedCommand,
	options: {
		readonly signal: AbortSignal;
		readonly clock: Clock;
		readonly logger: Logger;
		readonly progress: (fraction: number) => void;
	},
): Promise<CommandOutcome | undefined> => {
	const {signal, clock, logger} = options;
	const leftMs = Math.min(timerMsMax, Math.max(handlerMsMin, command.deadlineMs - clock.nowMs()));
	const deadline = AbortSignal.timeout(leftMs);
	const ended = AbortSignal.any([signal, deadline]);
	let toldMs = Number.NEGATIVE_INFINITY;
	const progress = (fraction: number): void => {
		if (clock.monotonicMs() - toldMs >= progressIntervalMs && !ended.aborted) {
			toldMs = clock.monotonicMs();
			options.progress(Math.min(1, Math.max(0, fraction)));
		}
	};
	const {promise: aborted, resolve} = Promise.withResolvers<undefined>();
	ended.addEventListener('abort', () => resolve(undefined), {once: true});
	try {
		// A handler that does not heed its signal is left behind.
		const outcome = await Promise.race([handle(command, {signal: ended, progress}), aborted]);
		if (outcome !== undefined) {
			return outcome;
		}
	} catch (error) {
		if (!ended.aborted) {
			logger.warn({err: error, id: command.id, name: command.name}, 'a command failed');
			const code = errorCode(error) ?? 'MQTT_COMMAND_FAILED';
			return {kind: 'failed', error: {code: code.slice(0, 64), message: errorMessage(error).slice(0, 1024)}};
		}
	}
	return signal.aborted
		? undefined
		: {kind: 'failed', error: {code: 'MQTT_COMMAND_DEADLINE', message: 'It was not done by its deadline.'}};
};

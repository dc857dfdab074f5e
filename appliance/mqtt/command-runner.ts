import {commandArguments, commandNameSchema} from '#appliance/contract/fleet/command-schema.ts';
import type {Reason} from '#appliance/contract/fleet/release-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {type CommandAnswers, commandReason} from '#appliance/mqtt/command-answers.ts';
import type {CommandRepository, KeptCommand} from '#appliance/mqtt/command-repository.ts';
import type {CommandHandler, ReceivedCommand} from '#appliance/mqtt/fleet-link.ts';
import {commandsRunningMax} from '#appliance/mqtt/link-limits.ts';
import {runHandler} from '#appliance/mqtt/run-handler.ts';
import type {Clock} from '#appliance/time/clock.ts';

/** Runs kept commands, at most once per id whatever is delivered again or killed in between. */
export type CommandRunner = {
	/** Those that a process before this one began are answered as interrupted. */
	readonly handle: (handler: CommandHandler) => void;
	/** Runs what waits, as far as there is room. */
	readonly wake: () => void;
	/** Resolves when all that runs was told to stop. */
	readonly stop: () => Promise<void>;
};

export const createCommandRunner = (options: {
	readonly repository: CommandRepository;
	readonly answers: CommandAnswers;
	readonly clock: Clock;
	readonly logger: Logger;
	/** The order of a command that this process took in; asked once. */
	readonly takeOrder: (id: string) => string | undefined;
}): CommandRunner => {
	const {repository, answers, clock, logger, takeOrder} = options;
	const stopping = new AbortController();
	const running = new Map<string, Promise<void>>();
	let handler: CommandHandler | undefined;

	const run = async (kept: KeptCommand, handle: CommandHandler): Promise<void> => {
		// Before it runs: at most once, even if this process dies in the middle of it.
		repository.begin(kept.id);
		const command = parseCommand(kept, takeOrder(kept.id));
		if ('code' in command) {
			answers.answer(kept.id, {kind: 'refused', error: command});
			return;
		}
		answers.say({id: kept.id, state: 'accepted'});
		const outcome = await runHandler(handle, command, {
			signal: stopping.signal,
			clock,
			logger,
			progress: (progress) => answers.say({id: kept.id, state: 'progress', progress}),
		});
		if (outcome !== undefined) {
			answers.answer(kept.id, outcome);
		}
	};
	const runSafely = async (kept: KeptCommand, handle: CommandHandler): Promise<void> => {
		try {
			await run(kept, handle);
		} catch (error) {
			logger.error({err: error, id: kept.id}, 'a command could not be kept');
		} finally {
			running.delete(kept.id);
			wake();
		}
	};
	const wake = (): void => {
		if (handler === undefined || stopping.signal.aborted) {
			return;
		}
		for (const command of repository.pending().slice(0, commandsRunningMax - running.size)) {
			running.set(command.id, Promise.resolve());
			running.set(command.id, runSafely(command, handler));
		}
	};
	return {
		handle: (given) => {
			handler = given;
			for (const {id} of repository.interrupted().filter((each) => !running.has(each.id))) {
				const message = 'The box stopped while it did this; it is not done again by itself.';
				answers.answer(id, {kind: 'failed', error: commandReason('MQTT_COMMAND_INTERRUPTED', message)});
			}
			wake();
		},
		wake,
		stop: async () => {
			stopping.abort();
			await Promise.allSettled(running.values());
		},
	};
};

const parseCommand = (kept: KeptCommand, order: string | undefined): ReceivedCommand | Reason => {
	const name = commandNameSchema.safeParse(kept.name);
	if (!name.success) {
		return commandReason('MQTT_COMMAND_ARGUMENTS', `This box knows no command ${kept.name}.`);
	}
	const parsed = commandArguments[name.data].safeParse(JSON.parse(kept.arguments));
	if (!parsed.success) {
		const [issue] = parsed.error.issues;
		return commandReason('MQTT_COMMAND_ARGUMENTS', `${issue?.path.join('.')}: ${issue?.message}`);
	}
	const {id, deadlineMs} = kept;
	return {id, name: name.data, arguments: parsed.data, deadlineMs, order} as ReceivedCommand;
};

import type {Reply} from '#appliance/contract/fleet/command-schema.ts';
import type {OrderGate} from '#appliance/identity/order-gate.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {createCommandAnswers} from '#appliance/mqtt/command-answers.ts';
import {type CommandIntake, createCommandIntake} from '#appliance/mqtt/command-intake.ts';
import {createCommandRepository} from '#appliance/mqtt/command-repository.ts';
import {type CommandRunner, createCommandRunner} from '#appliance/mqtt/command-runner.ts';
import type {RefusalTeller} from '#appliance/mqtt/refusal-teller.ts';
import type {Database} from '#appliance/store/open-database.ts';
import type {Clock} from '#appliance/time/clock.ts';

export type Commands = Pick<CommandRunner, 'handle' | 'stop'> & {
	readonly take: CommandIntake;
	/** Answers that the broker does not have yet. */
	readonly sendKept: () => void;
};

/** Commands: verified, kept, and only then run, at most once; an answer is kept until its order expires. */
export const createCommands = (options: {
	readonly database: Database;
	readonly gate: OrderGate;
	readonly refusals: RefusalTeller;
	readonly clock: Clock;
	readonly logger: Logger;
	readonly publish: (reply: Reply) => Promise<void>;
}): Commands => {
	const {database, gate, refusals, clock, logger, publish} = options;
	const repository = createCommandRepository(database);
	const answers = createCommandAnswers({repository, clock, logger, publish});
	// Not on disk: what is verified twice is a terminal, which nobody waits for over a restart.
	const orders = new Map<string, string>();
	const takeOrder = (id: string): string | undefined => {
		const jws = orders.get(id);
		orders.delete(id);
		return jws;
	};
	const {handle, stop, wake} = createCommandRunner({repository, answers, clock, logger, takeOrder});
	const take = createCommandIntake({
		...{gate, repository, answers, refusals, clock},
		together: (change) => database.transaction(change)(),
		onCommand: (id, jws) => {
			orders.set(id, jws);
			wake();
		},
	});
	return {take, handle, stop, sendKept: answers.sendKept};
};

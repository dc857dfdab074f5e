import {z} from 'zod';
import type {RunningSupervisor} from '#appliance/supervisor/start-supervisor.ts';
import type {MemberState} from '#ota/member/member-state.ts';

const answerTimeoutMs = 10_000;

/** Asks the role to take its new file up as it runs. False when it cannot, or does not answer: then it is started anew. */
export const reconfigureRole = async (options: {
	readonly state: Pick<MemberState, 'overlay' | 'config'>;
	readonly supervisor: Pick<RunningSupervisor, 'service'>;
	readonly signal: AbortSignal;
}): Promise<boolean> => {
	const {state, supervisor, signal} = options;
	const order = {kind: 'reconfigure', filePath: state.overlay.roleFile()} as const;
	const limit = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
	try {
		const answer = await supervisor.service(state.config.box.kind)?.ask(order, {signal: limit});
		return z.object({taken: z.literal(true)}).safeParse(answer).success;
	} catch {
		return false;
	}
};

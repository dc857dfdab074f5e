import {randomUUID} from 'node:crypto';
import type {RoleMessage, RoleOrder, SupervisorMessage} from '#appliance/contract/role-message-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

/** A role that answers none of so many is asked no more. */
const pendingMax = 16;

type Answer = Extract<RoleMessage, {kind: 'answer'}>;

export type PendingOrders = {
	readonly ask: (
		order: RoleOrder,
		options: {readonly signal: AbortSignal; readonly tell: (message: SupervisorMessage) => boolean},
	) => Promise<unknown>;
	readonly answer: (answer: Answer) => void;
	/** The process is gone, and will answer nothing. */
	readonly abandon: () => void;
};

/** What was asked of a process and not answered yet. */
export const createPendingOrders = (service: string): PendingOrders => {
	const pending = new Map<string, PromiseWithResolvers<unknown>>();
	const refusal = (message: string): Error =>
		new CodedError('APPLIANCE_ORDER_FAILED', {message, details: {service}, retryable: true});
	return {
		ask: async (order, {signal, tell}) => {
			signal.throwIfAborted();
			const id = randomUUID();
			const answered = Promise.withResolvers<unknown>();
			if (pending.size >= pendingMax || !tell({kind: 'order', id, order})) {
				throw refusal(`The service ${service} takes no orders at present.`);
			}
			pending.set(id, answered);
			const abort = (): void => answered.reject(signal.reason);
			signal.addEventListener('abort', abort, {once: true});
			try {
				return await answered.promise;
			} finally {
				pending.delete(id);
				signal.removeEventListener('abort', abort);
			}
		},
		answer: ({id, outcome}) => {
			const asked = pending.get(id);
			if (outcome.kind === 'done') {
				asked?.resolve(outcome.result);
			} else {
				asked?.reject(new CodedError(outcome.error.code, {message: outcome.error.message, details: {service}}));
			}
		},
		abandon: () => {
			for (const {reject} of pending.values()) {
				reject(refusal(`The service ${service} ended before it answered.`));
			}
		},
	};
};

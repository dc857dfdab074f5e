import {createPublicKey} from 'node:crypto';
import {keyChainMax} from '#appliance/contract/fleet/desired-schema.ts';
import type {OrderClaims} from '#appliance/contract/fleet/order-schema.ts';
import type {FilterFacts} from '#appliance/filter/filter-fields.ts';
import {type OrderKey, orderKeySchema} from '#appliance/identity/claim-schema.ts';
import {keyThumbprint} from '#appliance/identity/order-trust.ts';
import type {TrustRepository} from '#appliance/identity/trust-repository.ts';
import {keyIdOf, type OrderVerdict, refuseOrder, verifyOrder} from '#appliance/identity/verify-order.ts';
import type {Clock} from '#appliance/time/clock.ts';

/** What every order must pass on a box, whichever way it came. */
export type OrderGate = {
	/**
	 * Walks along the rotations from the key that the box has: each must be signed with the one before. Those of before, or
	 * with a hole before them, are passed over. Answers the refusal of the first that was next and not good.
	 */
	readonly walk: (keyChain: readonly string[]) => Promise<OrderVerdict | undefined>;
	/** As verifyOrder, replayed or not. */
	readonly check: (jws: string) => Promise<OrderVerdict>;
	/** As verifyOrder, and not replayed. Keeps nothing. */
	readonly verify: (jws: string) => Promise<OrderVerdict>;
	/** To be called in the transaction that keeps what the order asks for. False = another was quicker; keep nothing. */
	readonly keep: (claims: OrderClaims) => boolean;
};

export const createOrderGate = (options: {
	readonly repository: TrustRepository;
	readonly facts: () => FilterFacts;
	readonly clock: Clock;
}): OrderGate => {
	const {repository, facts, clock} = options;
	const check = (jws: string): Promise<OrderVerdict> =>
		verifyOrder(jws, repository.trust(), {facts: facts(), nowMs: clock.nowMs()});
	const verify = async (jws: string): Promise<OrderVerdict> => {
		const verdict = await check(jws);
		if (verdict.kind === 'refused') {
			return verdict;
		}
		const {order, revision} = verdict.claims;
		const last = repository.lastRevision(order.kind);
		return revision > last
			? verdict
			: refuseOrder('MQTT_ORDER_REPLAYED', `Revision ${revision} is not above ${last}, the last of its kind.`);
	};
	const step = async (jws: string): Promise<OrderVerdict | undefined> => {
		const {rotation, fleet} = repository.trust();
		const verdict = await check(jws);
		if (verdict.kind === 'refused') {
			return verdict;
		}
		const {order, revision} = verdict.claims;
		const key = order.kind === 'rotate-key' ? usableKey(order.key) : undefined;
		if (order.kind !== 'rotate-key' || key === undefined || order.kid !== keyThumbprint(key)) {
			return refuseOrder(
				'MQTT_ORDER_MALFORMED',
				'A key chain is of rotations to usable keys, whose kid is their thumbprint.',
			);
		}
		if (revision <= rotation) {
			return refuseOrder('MQTT_ORDER_REPLAYED', `Rotation ${revision} is not above ${rotation}, the last.`);
		}
		repository.rotate({fleet, key, kid: order.kid, rotation: revision});
		return undefined;
	};
	return {
		walk: async (keyChain) => {
			const links = new Map(keyChain.slice(0, keyChainMax).map((jws) => [keyIdOf(jws), jws]));
			for (let steps = 0; steps < links.size; steps += 1) {
				const next = links.get(repository.trust().kid);
				const refused = next === undefined ? undefined : await step(next);
				if (next === undefined || refused !== undefined) {
					return refused;
				}
			}
			return undefined;
		},
		check,
		verify,
		keep: ({order, revision}) => repository.keepRevision(order.kind, revision),
	};
};

/** A box that had rotated to a key which is none would obey nobody ever after. */
const usableKey = (key: unknown): OrderKey | undefined => {
	const {data} = orderKeySchema.safeParse(key);
	try {
		if (data !== undefined) {
			createPublicKey({key: {...data}, format: 'jwk'});
		}
		return data;
	} catch {
		return undefined;
	}
};

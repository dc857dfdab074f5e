import {z} from 'zod';
import {desiredSchema} from '#appliance/contract/fleet/desired-schema.ts';
import {maintenanceWindowSchema, type OrderClaims, updateOrderSchema} from '#appliance/contract/fleet/order-schema.ts';
import type {OrderGate} from '#appliance/identity/order-gate.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {CarouselUpdate, DesiredState} from '#appliance/mqtt/fleet-link.ts';
import type {RefusalTeller} from '#appliance/mqtt/refusal-teller.ts';
import type {StateRepository} from '#appliance/mqtt/state-repository.ts';

const keptDesiredSchema = z.object({
	jws: z.string(),
	revision: z.int(),
	update: updateOrderSchema.optional(),
	/** Absent in what was kept before orders' ends were. */
	expiresMs: z.int().optional(),
	config: z.record(z.string(), z.json()),
	windows: z.array(maintenanceWindowSchema).optional(),
});
const keptKeyChainSchema = desiredSchema.shape.keyChain;
const keptCarouselSchema = z.object({revision: z.int(), update: updateOrderSchema, expiresMs: z.int()});

/** Verify → persist → tell: whoever acts on a desired state may be killed at any time, and finds it again. */
export type DesiredKeeper = {
	readonly desired: () => DesiredState | undefined;
	readonly carouselUpdate: () => CarouselUpdate | undefined;
	readonly keyChain: () => readonly string[];
	/** The payload of the topic `desired`, of whatever is in it. */
	readonly take: (payload: string) => Promise<void>;
	readonly takeCarouselOrders: (orders: {
		readonly keyChain: readonly string[];
		readonly orders: readonly string[];
	}) => Promise<void>;
};

export const createDesiredKeeper = (options: {
	readonly gate: OrderGate;
	readonly repository: StateRepository;
	readonly refusals: RefusalTeller;
	readonly logger: Logger;
	readonly onDesired: (desired: DesiredState) => void;
	readonly onCarouselUpdate: (update: CarouselUpdate) => void;
}): DesiredKeeper => {
	const {gate, repository, refusals, logger, onDesired, onCarouselUpdate} = options;
	let kept = repository.get('desired', keptDesiredSchema);
	let carousel = repository.get('carousel', keptCarouselSchema);
	let keyChain: readonly string[] = repository.get('keyChain', keptKeyChainSchema) ?? [];

	const walk = async (told: readonly string[]): Promise<void> => {
		const refused = await gate.walk(told);
		if (refused?.kind === 'refused') {
			refusals.tell(told.join(' '), refused);
		} else if (told.length > 0 && told.join() !== keyChain.join()) {
			repository.put('keyChain', told);
			keyChain = told;
		}
	};
	const takeDesired = async (jws: string): Promise<void> => {
		const verdict = await gate.verify(jws);
		if (verdict.kind === 'refused') {
			refusals.tell(jws, verdict);
			return;
		}
		const {order, revision, exp} = verdict.claims;
		if (order.kind !== 'desired') {
			refusals.tell(jws, {code: 'MQTT_ORDER_MALFORMED', message: 'The order is not a desired state.'});
			return;
		}
		const {kind: _, ...state} = order;
		const next = {jws, revision, expiresMs: exp * 1000, ...state};
		if (!keepWith(verdict.claims, () => repository.put('desired', next))) {
			return;
		}
		kept = next;
		logger.info({revision, orderId: order.update?.orderId}, 'keeps a desired state');
		onDesired(stateOf(next));
	};
	const keepWith = (claims: OrderClaims, put: () => void): boolean =>
		repository.together(() => {
			const isNew = gate.keep(claims);
			if (isNew) {
				put();
			}
			return isNew;
		});
	const takeCarouselOrder = async (jws: string): Promise<void> => {
		const verdict = await gate.verify(jws);
		if (verdict.kind === 'refused') {
			// The carousel goes round and is for everybody: what is for others, over, or known already is no news.
			if (!['MQTT_ORDER_WRONG_BOX', 'MQTT_ORDER_REPLAYED', 'MQTT_ORDER_EXPIRED'].includes(verdict.code)) {
				refusals.tell(jws, verdict);
			}
			return;
		}
		const {order, revision, exp} = verdict.claims;
		if (order.kind !== 'update') {
			refusals.tell(jws, {code: 'MQTT_ORDER_MALFORMED', message: 'The carousel carries update orders only.'});
			return;
		}
		const next = {revision, update: order.update, expiresMs: exp * 1000};
		if (keepWith(verdict.claims, () => repository.put('carousel', next))) {
			carousel = next;
			logger.info({revision, orderId: order.update.orderId}, 'keeps an update order of the carousel');
			onCarouselUpdate(next);
		}
	};
	return {
		desired: () => (kept === undefined ? undefined : stateOf(kept)),
		carouselUpdate: () => carousel,
		keyChain: () => keyChain,
		take: async (payload) => {
			const parsed = parse(payload);
			if (parsed === undefined) {
				refusals.tell(payload, {code: 'MQTT_ORDER_MALFORMED', message: 'The desired state cannot be read.'});
				return;
			}
			await walk(parsed.keyChain);
			// Retained, so that it comes again at each connection.
			if (parsed.order !== kept?.jws) {
				await takeDesired(parsed.order);
			}
		},
		takeCarouselOrders: async ({keyChain: told, orders}) => {
			await walk(told);
			for (const jws of orders) {
				await takeCarouselOrder(jws);
			}
		},
	};
};

const parse = (payload: string): z.infer<typeof desiredSchema> | undefined => {
	try {
		return desiredSchema.parse(JSON.parse(payload));
	} catch {
		return undefined;
	}
};

const stateOf = ({revision, update, expiresMs, config, windows}: z.infer<typeof keptDesiredSchema>): DesiredState => ({
	revision,
	update,
	expiresMs,
	config,
	windows,
});

/** What `update` events of a rollout's order name: a late word of the first attempt is never taken for the second. */
export const orderIdOf = (rolloutId: string, attempt: number): string => `${rolloutId}.${attempt}`;

const pattern = /^([a-z0-9]{12})\.(\d{1,3})$/u;

/** Undefined for an order that no rollout gave. */
export const parseOrderId = (orderId: string): {readonly rollout: string; readonly attempt: number} | undefined => {
	const match = pattern.exec(orderId);
	return match?.[1] === undefined ? undefined : {rollout: match[1], attempt: Number(match[2])};
};

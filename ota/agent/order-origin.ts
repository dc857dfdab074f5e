/** Who gave an order, the weightiest first. What one of them no longer wants is aborted only if it was its own. */
export const orderOrigins = ['fleet', 'carousel', 'stick'] as const;
export type OrderOrigin = (typeof orderOrigins)[number];

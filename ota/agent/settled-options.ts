import type {MaintenanceWindow} from '#appliance/contract/fleet/order-schema.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {systemClock} from '#appliance/time/clock.ts';
import type {StartAgentOptions} from '#ota/agent/agent.ts';
import {type AgentLimits, agentLimits} from '#ota/agent/agent-limits.ts';

/** What an agent was started with, its defaults filled in. */
export type SettledOptions = Omit<StartAgentOptions, 'limits' | 'clock' | 'random' | 'windows'> & {
	readonly limits: AgentLimits;
	readonly clock: Clock;
	readonly random: () => number;
	readonly windows: () => readonly MaintenanceWindow[] | undefined;
};

export const settleOptions = (options: StartAgentOptions): SettledOptions => ({
	...options,
	limits: {...agentLimits, ...options.limits},
	clock: options.clock ?? systemClock,
	random: options.random ?? Math.random,
	windows: options.windows ?? (() => undefined),
});

import type {ComponentChildren, JSX} from 'preact';
import type {BoxSummary} from '#ota/contract/box-api.ts';
import type {RolloutState} from '#ota/contract/rollout-api.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'violet' | 'none';
export type Health = BoxSummary['health'];

export const Badge = ({tone = 'none', children}: {readonly tone?: Tone; readonly children: ComponentChildren}) => (
	<span class="badge" data-tone={tone}>
		{children}
	</span>
);

const healthShapes: Readonly<Record<Health, string>> = {
	ok: 'M8 1a7 7 0 100 14A7 7 0 008 1z',
	warning: 'M8 1l7 14H1z',
	critical: 'M5 1h6l4 4v6l-4 4H5l-4-4V5z',
	unknown: 'M8 1a7 7 0 100 14A7 7 0 008 1zm0 3a4 4 0 110 8 4 4 0 010-8z',
};

/** A circle, a triangle, an octagon or a ring: told apart without colour. */
export const HealthMark = ({health}: {readonly health: Health}): JSX.Element => (
	<svg class="health" data-health={health} viewBox="0 0 16 16" role="img" aria-label={health}>
		<title>{health}</title>
		<path d={healthShapes[health]} />
	</svg>
);

const presenceTones: Readonly<Record<BoxSummary['presence'], Tone>> = {online: 'good', offline: 'bad', never: 'none'};

export const PresenceBadge = ({presence}: {readonly presence: BoxSummary['presence']}): JSX.Element => (
	<Badge tone={presenceTones[presence]}>{presence === 'never' ? 'not yet seen' : presence}</Badge>
);

const phaseTones: Readonly<Record<BoxSummary['update']['phase'], Tone>> = {
	idle: 'none',
	accepted: 'accent',
	fetching: 'accent',
	verified: 'accent',
	installing: 'accent',
	rebooting: 'violet',
	confirming: 'violet',
	confirmed: 'good',
	refused: 'bad',
	failed: 'bad',
	'rolled-back': 'bad',
};

export const PhaseBadge = ({phase}: {readonly phase: BoxSummary['update']['phase']}): JSX.Element => (
	<Badge tone={phaseTones[phase]}>{phase}</Badge>
);

const rolloutTones: Readonly<Record<RolloutState, Tone>> = {
	'waiting-approval': 'warn',
	approved: 'accent',
	scheduled: 'accent',
	running: 'accent',
	paused: 'warn',
	finished: 'good',
	aborted: 'bad',
	rejected: 'bad',
};

export const RolloutBadge = ({state}: {readonly state: RolloutState}): JSX.Element => (
	<Badge tone={rolloutTones[state]}>{state === 'waiting-approval' ? 'waits for approval' : state}</Badge>
);

export const SeverityBadge = ({severity}: {readonly severity: 'info' | 'warning' | 'critical'}): JSX.Element => (
	<Badge tone={severity === 'critical' ? 'bad' : severity === 'warning' ? 'warn' : 'none'}>{severity}</Badge>
);

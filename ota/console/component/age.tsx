import type {JSX} from 'preact';
import {formatAge, formatDateTime} from '../format/format-time.ts';
import {nowMs} from '../state/clock.ts';

/** How long ago; the exact time on hover. */
export const Age = ({atMs}: {readonly atMs: number | null | undefined}): JSX.Element =>
	atMs === null || atMs === undefined ? (
		<span class="faint">never</span>
	) : (
		<time class="nowrap" dateTime={new Date(atMs).toISOString()} title={formatDateTime(atMs)}>
			{formatAge(atMs, nowMs.value)}
		</time>
	);

import type {ComponentChildren, JSX} from 'preact';
import type {RequestError} from '../state/request.ts';
import {Button} from './button.tsx';
import {Icon, type IconName} from './icon.tsx';

/** Says that there is nothing, and what would put something there. */
export const Empty = ({
	icon = 'boxes',
	title,
	children,
}: {
	readonly icon?: IconName;
	readonly title: string;
	readonly children?: ComponentChildren;
}): JSX.Element => (
	<div class="empty">
		<Icon name={icon} />
		<strong>{title}</strong>
		{children}
	</div>
);

/** What was refused, and a way on. */
export const Failed = ({error, onRetry}: {readonly error: RequestError; readonly onRetry?: () => void}) => (
	<div class="notice" data-tone="bad" role="alert">
		<Icon name="alert" />
		<span>
			{error.message} <span class="faint mono">{error.problem.code}</span>
		</span>
		{onRetry !== undefined && <Button onPress={onRetry}>Try again</Button>}
	</div>
);

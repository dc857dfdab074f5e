import type {ComponentChildren, JSX} from 'preact';
import {go} from '../state/router.ts';

export type LinkProps = {
	readonly to: string;
	readonly class?: string;
	readonly current?: boolean;
	readonly title?: string;
	readonly children: ComponentChildren;
};

/** A link within the console; with a modifier key the browser opens it as it opens any. */
export const Link = ({to, class: name, current = false, title, children}: LinkProps): JSX.Element => (
	<a
		href={to}
		class={name}
		title={title}
		aria-current={current ? 'page' : undefined}
		onClick={(event) => {
			if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
				event.preventDefault();
				go(to);
			}
		}}
	>
		{children}
	</a>
);

import type {ComponentChildren, JSX} from 'preact';
import {useId} from 'preact/hooks';

export type PanelProps = {
	readonly title: string;
	/** Classes of the grid, such as `span-6`. */
	readonly class?: string;
	readonly actions?: ComponentChildren;
	readonly children: ComponentChildren;
};

/** A titled card. */
export const Panel = ({title, class: extra = '', actions, children}: PanelProps): JSX.Element => {
	const id = useId();
	return (
		<section class={`panel ${extra}`} aria-labelledby={id}>
			<header>
				<h2 id={id}>{title}</h2>
				{actions !== undefined && <div class="actions">{actions}</div>}
			</header>
			{children}
		</section>
	);
};

export const PageHead = ({
	title,
	children,
	actions,
}: {
	readonly title: string;
	readonly children?: ComponentChildren;
	readonly actions?: ComponentChildren;
}): JSX.Element => {
	document.title = `${title} · StreamVerse fleet`;
	return (
		<header class="page-head">
			<h1>{title}</h1>
			{children}
			{actions !== undefined && <div class="actions">{actions}</div>}
		</header>
	);
};

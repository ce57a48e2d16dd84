import { type RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** Whether the reader sees the element, or nearly: what is not seen need not be read. */
export function useInSight(element: RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)!.isIntersecting), {
      rootMargin: '100px',
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return isSeen;
}

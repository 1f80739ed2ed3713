/**
 * Waits for work, but not for ever: a server that no longer answers says nothing, not even that it is gone.
 * @param problem what the error says that is thrown when the time is over
 * @param tooLate gets what the work comes to afterwards
 */
export async function withinTime<Result>(
  work: Promise<Result>,
  milliseconds: number,
  problem: string,
  tooLate: (result: Result) => void = () => {},
): Promise<Result> {
  let isOver = false
  let timer: NodeJS.Timeout | undefined
  const time = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true
      reject(new Error(`${problem} within ${milliseconds} ms`))
    }, milliseconds)
  })
  const lateOnes = work.then(
    result => {
      if (isOver) tooLate(result)
      return result
    },
    error => {
      // Who waited has been told something else by then.
      if (!isOver) throw error
      return time
    },
  )
  try {
    return await Promise.race([lateOnes, time])
  } finally {
    clearTimeout(timer)
  }
}
